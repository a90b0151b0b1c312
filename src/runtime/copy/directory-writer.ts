import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { linkOpenFile, openFileXattrs, pathIn } from "../../sys/open-file.ts";
import { O_PATH, openWithin } from "../../sys/open-within.ts";
import { shownPath } from "./copy-error.ts";
import { type CopyCount, type CopyRules, descriptionOf } from "./copy-rules.ts";
import { describeOpen, makeSpecial, type SpecialFile } from "./describe.ts";
import { copyContent } from "./file-content.ts";
import { makeInPlace, NewFile } from "./new-file.ts";
import {
  identityOfFile,
  lookAt,
  openForReading,
  pathXattrs,
  type SourceNode,
} from "./source-node.ts";
import type { TreeVisitor } from "./walk-tree.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** The type of a file in st_mode. */
const S_IFMT = 0o170000;

/** A directory that is written into: its descriptor, and its path from where writing began. */
export interface TargetDirectory {
  readonly fd: number;
  readonly path: Buffer;
}

/**
 * Writes a tree into directories that others may be changing, a container's processes say.
 *
 * Everything is made by one name in an open directory, and no link that stands there is
 * followed. A directory that exists is written into; anything else is replaced, but a directory
 * never by something else, nor the other way round. Each file appears when it is complete.
 */
export class DirectoryWriter implements TreeVisitor<TargetDirectory> {
  private readonly root: number;
  private readonly rules: CopyRules;
  private readonly count: CopyCount;
  /** Where a file with several names was written. */
  private readonly linked = new Map<string, Written>();

  /** @param root open: where writing begins */
  constructor(root: number, rules: CopyRules, count: CopyCount) {
    this.root = root;
    this.rules = rules;
    this.count = count;
  }

  get start(): TargetDirectory {
    return { fd: this.root, path: Buffer.alloc(0) };
  }

  enter(_node: SourceNode, parent: TargetDirectory, name: Buffer, path: Buffer): TargetDirectory {
    const place = pathIn(parent.fd, name);
    try {
      mkdirSync(place, 0o700);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      if (!lstatSync(place).isDirectory())
        throw new TsimgError(
          "ERR_STATE",
          `cannot overwrite non-directory '${shownPath(path)}' with a directory`,
        );
    }
    return { fd: openSync(place, DIRECTORY), path: below(parent.path, name) };
  }

  leave(node: SourceNode, { fd }: TargetDirectory): void {
    try {
      const source = openForReading(node);
      try {
        describeOpen(fd, descriptionOf(node, openFileXattrs(source), this.rules));
      } finally {
        closeSync(source);
      }
    } finally {
      closeSync(fd);
    }
  }

  leaf(node: SourceNode, parent: TargetDirectory, name: Buffer): void {
    const { stats } = node;
    if (stats.isSocket()) {
      this.count.sockets += 1;
      return;
    }
    if ((stats.isCharacterDevice() || stats.isBlockDevice()) && !this.rules.trusted) {
      this.count.devices += 1;
      return;
    }
    if (this.linkAgain(node, parent, name)) return;
    if (stats.isFile()) this.writeFile(node, parent, name);
    else {
      const description = descriptionOf(node, pathXattrs(node.place), this.rules);
      makeInPlace(parent.fd, name, (path) => makeSpecial(path, specialOf(node), description));
    }
    this.count.files += 1;
    this.remember(node, parent, name);
  }

  skipped(): void {
    this.count.kernelDirectories += 1;
  }

  private writeFile(node: SourceNode, parent: TargetDirectory, name: Buffer): void {
    const source = openForReading(node);
    try {
      using file = new NewFile(parent.fd);
      this.count.bytes += copyContent(source, file.fd, node.stats);
      describeOpen(file.fd, descriptionOf(node, openFileXattrs(source), this.rules));
      file.publish(name);
    } finally {
      closeSync(source);
    }
  }

  private remember(node: SourceNode, parent: TargetDirectory, name: Buffer): void {
    if (node.stats.nlink < 2n) return;
    using written = lookAt(parent.fd, name);
    const at = { path: below(parent.path, name), identity: identityOfFile(written.stats) };
    this.linked.set(identityOfFile(node.stats), at);
  }

  /** @returns false when the file's first name is gone, or is another file's by now */
  private linkAgain(node: SourceNode, parent: TargetDirectory, name: Buffer): boolean {
    const first = node.stats.nlink < 2n ? undefined : this.linked.get(identityOfFile(node.stats));
    if (first === undefined) return false;
    const fd = tolerating(["ENOENT", "ELOOP", "EXDEV", "ENOTDIR"], () =>
      openWithin(this.root, first.path, O_PATH | constants.O_NOFOLLOW, "plain"),
    );
    if (fd === undefined) return false;
    try {
      if (identityOfFile(fstatSync(fd, { bigint: true })) !== first.identity) return false;
      const link = () =>
        makeInPlace(parent.fd, name, (path) => {
          linkOpenFile(fd, parent.fd, path.subarray(path.lastIndexOf("/") + 1));
        });
      // Another mount, or more names than the file system allows: then a file of its own.
      return tolerating(["EXDEV", "EMLINK"], () => link() ?? true) === true;
    } finally {
      closeSync(fd);
    }
  }
}

interface Written {
  readonly path: Buffer;
  readonly identity: string;
}

function specialOf({ link, stats }: SourceNode): SpecialFile {
  if (link !== undefined) return { kind: "symlink", target: link };
  return { kind: "node", type: Number(stats.mode) & S_IFMT, device: Number(stats.rdev) };
}

function below(path: Buffer, name: Buffer): Buffer {
  return path.length === 0 ? name : Buffer.concat([path, Buffer.from("/"), name]);
}
