import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { type ByteString, toBuffer } from "../tar/byte-string.ts";
import type { TreeStat } from "./upper-tree.ts";

const SLASH = Buffer.from("/");

/** A tree on the disk, whose inside is not trusted: no symlink in it is ever followed. */
export class TreeRoot {
  private readonly root: Buffer;
  private readonly itself: Buffer;

  /** @param root a directory, or a symlink to one */
  constructor(root: string) {
    this.root = Buffer.from(root);
    this.itself = Buffer.from(`${root}/.`);
  }

  /** The absolute path of `path`, which is relative to the root; "" is the root itself. */
  at(path: string): Buffer {
    if (path === "") return this.itself;
    return Buffer.concat([this.root, SLASH, toBuffer(path as ByteString)]);
  }

  /** What is at `path`, provided that all directories on the way are real ones. */
  look(path: string): TreeStat | undefined {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
      if (this.lstat(path.slice(0, slash))?.isDirectory() !== true) return undefined;
    return this.lstat(path);
  }

  /** Names in a directory. */
  list(path: string): readonly string[] {
    return readdirSync(this.at(path), { encoding: "latin1" });
  }

  linkTarget(path: string): string {
    return readlinkSync(this.at(path), { encoding: "latin1" });
  }

  protected lstat(path: string): BigIntStats | undefined {
    return tolerating(["ENOENT", "ENOTDIR", "ENAMETOOLONG"], () =>
      lstatSync(this.at(path), { bigint: true }),
    );
  }
}

/** A whiteout of overlay: a character device 0:0. */
export function isWhiteout(stat: TreeStat): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
