import type { BigIntStats } from "node:fs";
import type { DeviceNode } from "../remainder.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { TreeRoot } from "./tree-path.ts";

/** What stitching wants to know of a file: a part of what lstat(2) tells. */
export type TreeStat = Pick<
  BigIntStats,
  | "mode"
  | "uid"
  | "gid"
  | "size"
  | "mtimeNs"
  | "nlink"
  | "ino"
  | "rdev"
  | "isDirectory"
  | "isSymbolicLink"
  | "isFile"
  | "isCharacterDevice"
>;

/**
 * A layer that is being put on top of its parent: a directory, or an image of one. Paths are
 * relative to the layer's root, which is ""; no symlink in them is ever followed.
 *
 * Changes don't keep the time of the directory that they are made in: `keepingTime` does.
 */
export interface UpperTree {
  /** What is at `path`, provided that all directories on the way are real ones. */
  look(path: string): TreeStat | undefined;
  /** Names in a directory. */
  list(path: string): readonly string[];
  linkTarget(path: string): string;
  /** Runs `change` on what is in the directory at `path`, and gives it its old time back. */
  keepingTime<T>(path: string, change: () => T): T;
  /** Mode 0755, root's, of 1970. */
  makeDirectory(path: string): void;
  makeWhiteout(path: string): void;
  /** Under all its names. */
  makeDevice(device: DeviceNode): void;
  link(target: string, path: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** @returns false when something is in the directory */
  removeDirectory(path: string): boolean;
  /** @throws an error with the code EPERM or ENOTSUP where the file can't have it */
  setXattr(path: string, name: ByteString, value: Buffer): void;
  /** Gives `to` the owner, mode, extended attributes and time of another file of the layer. */
  copyMetadata(from: string, to: string): void;
  /** As `copyMetadata`, from a file of the parent's tree. */
  takeMetadata(below: TreeRoot, from: string, stat: TreeStat, to: string): void;
  /** Makes `to` like a file of the parent's tree: a directory empty, all else with its content. */
  take(below: TreeRoot, from: string, stat: TreeStat, to: string): void;
}
