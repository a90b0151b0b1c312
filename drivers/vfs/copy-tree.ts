import {
  type BigIntStats,
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { copyXattrs } from "../../src/sys/copy-xattrs.ts";
import { makeNode } from "../../src/sys/file-node.ts";
import { setTimes } from "../../src/sys/file-times.ts";
import { FileCopier } from "./copy-file.ts";
import { childPath, reach } from "./reach.ts";

const PERMISSIONS = 0o7777;
const SET_ID = 0o6000;

export interface CopyTreeOptions {
  /** Share the data of files where the file system can (`reflinks`). */
  readonly clone: boolean;
}

interface Directory {
  readonly source: Buffer;
  readonly target: Buffer;
  readonly stat: BigIntStats;
}

/** Where the first name of an inode with several was copied to. */
interface FirstName {
  readonly directory: Buffer;
  readonly name: Buffer;
}

/**
 * Copies the tree `source` to `target`, which must not be there: owners, modes, extended
 * attributes and times to the nanosecond, hard links, holes, devices, fifos and sockets, names
 * of any bytes, any depth. A copied socket is one that nobody listens at, as after a restart.
 *
 * Names and data come first. What directories say of themselves is set at the end, from the
 * deepest up: until then their mode keeps others out, their group isn't passed on, and what
 * is written into them moves their times.
 *
 * @param source a tree that nobody changes meanwhile, on one file system
 * @throws the first error; what was copied by then stays
 */
export function copyTree(source: string, target: string, options: CopyTreeOptions): void {
  const top = { source: Buffer.from(source), target: Buffer.from(target) };
  mkdirSync(target, { mode: 0o700 });
  // A set-group-ID directory above would pass its group on to all that is made here.
  lchownSync(target, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  chmodSync(target, 0o700);
  const copier = new Copier(options.clone);
  copier.directories.push({ ...top, stat: lstatSync(source, { bigint: true }) });
  // The list grows while it is walked.
  for (const directory of copier.directories) copier.copyEntries(directory);
  for (const directory of copier.directories.toReversed()) copier.finish(directory);
}

class Copier {
  readonly directories: Directory[] = [];
  private readonly files: FileCopier;
  private readonly user = BigInt(process.geteuid?.() ?? 0);
  private readonly group = BigInt(process.getegid?.() ?? 0);
  private readonly firstNames = new Map<bigint, FirstName>();

  constructor(clone: boolean) {
    this.files = new FileCopier(clone);
  }

  copyEntries(directory: Directory): void {
    using from = reach(directory.source);
    using to = reach(directory.target);
    for (const name of readdirSync(from.path, { encoding: "buffer" })) {
      const source = childPath(from.path, name);
      const target = childPath(to.path, name);
      const stat = lstatSync(source, { bigint: true });
      if (stat.isDirectory()) {
        mkdirSync(target, { mode: 0o700 });
        this.directories.push({
          source: childPath(directory.source, name),
          target: childPath(directory.target, name),
          stat,
        });
      } else if (stat.nlink === 1n) this.copyNode(source, target, stat);
      else this.copyLinked(source, { directory: directory.target, name }, target, stat);
    }
  }

  finish({ source, target, stat }: Directory): void {
    using from = reach(source);
    using to = reach(target);
    this.describe(from.path, to.path, stat);
  }

  private copyLinked(source: Buffer, name: FirstName, target: Buffer, stat: BigIntStats): void {
    const first = this.firstNames.get(stat.ino);
    if (first === undefined) {
      this.copyNode(source, target, stat);
      this.firstNames.set(stat.ino, name);
      return;
    }
    using there = reach(first.directory);
    linkSync(childPath(there.path, first.name), target);
  }

  private copyNode(source: Buffer, target: Buffer, stat: BigIntStats): void {
    let attributes = true;
    if (stat.isFile()) attributes = this.files.copy(source, target, stat);
    else if (stat.isSymbolicLink())
      symlinkSync(readlinkSync(source, { encoding: "buffer" }), target);
    else makeNode(target, Number(stat.mode), Number(stat.rdev));
    this.describe(source, target, stat, attributes);
  }

  /** Owner before mode before attributes: each change of one takes bits of the next away. */
  private describe(source: Buffer, target: Buffer, stat: BigIntStats, attributes = true): void {
    const given = stat.uid !== this.user || stat.gid !== this.group;
    if (given) lchownSync(target, Number(stat.uid), Number(stat.gid));
    const mode = Number(stat.mode) & PERMISSIONS;
    const hasMode = stat.isFile() && (mode & SET_ID) === 0;
    if (!hasMode && !stat.isSymbolicLink()) chmodSync(target, mode);
    if (attributes) copyXattrs(source, target);
    setTimes(target, stat.atimeNs, stat.mtimeNs);
  }
}
