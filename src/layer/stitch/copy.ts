import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { makeNode, setModificationTime } from "../../sys/file-node.ts";
import { getXattr, listXattrs, removeXattr, setXattr } from "../../sys/xattr.ts";
import { isOverlayMark } from "../metadata.ts";
import type { TreeStat } from "./upper-tree.ts";

/** Gives `to` the owner, mode, extended attributes and time of `from`. */
export function copyMetadata(from: Buffer, stat: TreeStat, to: Buffer): void {
  lchownSync(to, Number(stat.uid), Number(stat.gid));
  if (!stat.isSymbolicLink()) chmodSync(to, Number(stat.mode & 0o7777n));
  for (const name of listXattrs(from)) {
    const value = isOverlayMark(name.toString("latin1")) ? undefined : getXattr(from, name);
    if (value !== undefined) setXattr(to, name, value);
  }
  setModificationTime(to, stat.mtimeNs);
}

/** As `copyMetadata`, but `to` keeps no attribute that `from` doesn't have. */
export function replaceMetadata(from: Buffer, stat: TreeStat, to: Buffer): void {
  const kept = new Set(listXattrs(from).map((name) => name.toString("latin1")));
  for (const name of listXattrs(to)) if (!kept.has(name.toString("latin1"))) removeXattr(to, name);
  copyMetadata(from, stat, to);
}

/** Makes `to` like `from`: a directory empty, everything else with what it holds. */
export function copyOne(from: Buffer, stat: TreeStat, to: Buffer): void {
  if (stat.isDirectory()) mkdirSync(to, 0o700);
  else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: "buffer" }), to);
  else if (stat.isFile())
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  else makeNode(to, Number(stat.mode), Number(stat.rdev));
  copyMetadata(from, stat, to);
}
