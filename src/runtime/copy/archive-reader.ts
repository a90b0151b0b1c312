import { closeSync, constants, ftruncateSync, lstatSync, mkdirSync } from "node:fs";
import { entryComponents } from "../../layer/entry-path.ts";
import { type ByteString, toBuffer } from "../../layer/tar/byte-string.ts";
import type { TarEntry, TarHandler } from "../../layer/tar/entry.ts";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { deviceNumber, S_IFBLK, S_IFCHR, S_IFIFO } from "../../sys/file-node.ts";
import { linkOpenFile, pathIn } from "../../sys/open-file.ts";
import { O_PATH, openWithin } from "../../sys/open-within.ts";
import { copyError, shownPath } from "./copy-error.ts";
import { type CopyCount, type CopyRules, isAttributeCopied, ownerOf } from "./copy-rules.ts";
import { type Description, describeOpen, makeSpecial, type SpecialFile } from "./describe.ts";
import { writeAt } from "./file-content.ts";
import { makeInPlace, NewFile } from "./new-file.ts";

const DIRECTORY = constants.O_DIRECTORY | constants.O_NOFOLLOW;
const BILLION = 1_000_000_000n;

/** Where an archive goes: a directory below a root that none of its links leads out of. */
export interface ArchiveTarget {
  /** Open: what "/" is to symlinks. */
  readonly root: number;
  /** Absolute, from the root. */
  readonly path: string;
}

/**
 * Unpacks an archive into a container's directory. Symlinks on the way to an entry are followed
 * inside of the container's root, as its own tar would; names that climb are refused.
 *
 * Directories are described last: writing into them moves their times.
 */
export class ArchiveReader implements TarHandler {
  private readonly target: ArchiveTarget;
  private readonly rules: CopyRules;
  private readonly count: CopyCount;
  private readonly directories: { readonly path: string; readonly entry: TarEntry }[] = [];
  /** The directory that was written to last, which the next entry is most often in too. */
  private open: { readonly path: string; readonly fd: number } | undefined;
  private file:
    | { readonly entry: TarEntry; readonly name: Buffer; readonly file: NewFile }
    | undefined;

  constructor(target: ArchiveTarget, rules: CopyRules, count: CopyCount) {
    this.target = target;
    this.rules = rules;
    this.count = count;
  }

  entry(entry: TarEntry): void {
    const components = entryComponents(entry.path.replace(/^\/+/, "") as ByteString);
    const last = components.pop();
    // The directory that all goes into stays as it is.
    if (last === undefined) return;
    try {
      this.place(entry, this.directory(components), toBuffer(last as ByteString), components);
    } catch (error) {
      throw copyError(error, toBuffer(entry.path));
    }
  }

  data(chunk: Buffer, position: number): void {
    if (this.file === undefined) return;
    try {
      writeAt(this.file.file.fd, chunk, position);
    } catch (error) {
      throw copyError(error, toBuffer(this.file.entry.path));
    }
    this.count.bytes += chunk.length;
  }

  entryEnd(): void {
    if (this.file === undefined) return;
    const { entry, name, file } = this.file;
    this.file = undefined;
    try {
      using done = file;
      ftruncateSync(done.fd, entry.size);
      describeOpen(done.fd, this.describe(entry));
      done.publish(name);
    } catch (error) {
      throw copyError(error, toBuffer(entry.path));
    }
  }

  /** After the whole archive. */
  finish(): void {
    for (const { path, entry } of this.directories.toReversed()) {
      try {
        const fd = openWithin(
          this.target.root,
          bytes(path),
          constants.O_RDONLY | DIRECTORY,
          "root",
        );
        try {
          describeOpen(fd, this.describe(entry));
        } finally {
          closeSync(fd);
        }
      } catch (error) {
        throw copyError(error, toBuffer(entry.path));
      }
    }
    if (this.open !== undefined) closeSync(this.open.fd);
    this.open = undefined;
  }

  private place(entry: TarEntry, directory: number, name: Buffer, above: readonly string[]): void {
    this.count.files += 1;
    switch (entry.type) {
      case "dir":
        this.directories.push({ path: this.pathOf([...above, name.toString("latin1")]), entry });
        return makeDirectory(directory, name, entry);
      case "file":
        this.file = { entry, name, file: new NewFile(directory) };
        return;
      case "link":
        return this.link(entry, directory, name);
      default:
        makeInPlace(directory, name, (path) => {
          makeSpecial(path, specialOf(entry), this.describe(entry));
        });
    }
  }

  private link(entry: TarEntry, directory: number, name: Buffer): void {
    const components = entryComponents(entry.linkPath.replace(/^\/+/, "") as ByteString);
    const path = this.pathOf(components);
    const flags = O_PATH | constants.O_NOFOLLOW;
    const fd = openWithin(this.target.root, bytes(path), flags, "root");
    try {
      makeInPlace(directory, name, (place) => {
        linkOpenFile(fd, directory, place.subarray(place.lastIndexOf("/") + 1));
      });
    } finally {
      closeSync(fd);
    }
  }

  private describe(entry: TarEntry): Description {
    const { seconds, nanoseconds } = entry.mtime;
    const time = BigInt(Math.trunc(seconds)) * BILLION + BigInt(nanoseconds);
    const xattrs = [...entry.xattrs].map(([name, value]) => [toBuffer(name), value] as const);
    return {
      owner: ownerOf(entry, this.rules),
      mode: entry.mode,
      xattrs: xattrs.filter(([name]) => isAttributeCopied(name, this.rules)),
      accessed: time,
      modified: time,
    };
  }

  /** A directory of the archive, by O_PATH; made when it isn't there. */
  private directory(components: readonly string[]): number {
    const path = this.pathOf(components);
    if (this.open?.path === path) return this.open.fd;
    const fd = this.openOrMake(components);
    if (this.open !== undefined) closeSync(this.open.fd);
    this.open = { path, fd };
    return fd;
  }

  private openOrMake(components: readonly string[]): number {
    const flags = O_PATH | constants.O_DIRECTORY;
    const open = () => openWithin(this.target.root, bytes(this.pathOf(components)), flags, "root");
    const there = tolerating(components.length === 0 ? [] : ["ENOENT"], open);
    if (there !== undefined) return there;
    const parent = this.openOrMake(components.slice(0, -1));
    try {
      const name = toBuffer((components.at(-1) ?? "") as ByteString);
      tolerating(["EEXIST"], () => mkdirSync(pathIn(parent, name), 0o755) ?? true);
    } finally {
      closeSync(parent);
    }
    return open();
  }

  /** From the root, a character a byte. */
  private pathOf(components: readonly string[]): string {
    return [Buffer.from(this.target.path).toString("latin1"), ...components].join("/");
  }
}

const NODE_TYPES = { char: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO } as const;

function specialOf({ type, linkPath, devMajor, devMinor }: TarEntry): SpecialFile {
  if (type !== "char" && type !== "block" && type !== "fifo")
    return { kind: "symlink", target: toBuffer(linkPath) };
  return { kind: "node", type: NODE_TYPES[type], device: deviceNumber(devMajor, devMinor) };
}

function bytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

function makeDirectory(directory: number, name: Buffer, entry: TarEntry): void {
  const place = pathIn(directory, name);
  try {
    mkdirSync(place, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    if (lstatSync(place).isDirectory()) return;
    throw new TsimgError(
      "ERR_STATE",
      `cannot overwrite non-directory '${shownPath(toBuffer(entry.path))}' with a directory`,
    );
  }
}
