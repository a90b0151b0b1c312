import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import {
  deviceNumber,
  makeNode,
  S_IFBLK,
  S_IFCHR,
  setModificationTime,
} from "../../sys/file-node.ts";
import { setXattr } from "../../sys/xattr.ts";
import { setTime } from "../metadata.ts";
import type { DeviceNode } from "../remainder.ts";
import { type ByteString, toBuffer } from "../tar/byte-string.ts";
import { copyMetadata, copyOne } from "./copy.ts";
import { parentOf, TreeRoot } from "./tree-path.ts";
import type { TreeStat, UpperTree } from "./upper-tree.ts";

const EPOCH = { seconds: 0, nanoseconds: 0 };

/** A layer in a directory of its own. */
export class DiskUpper extends TreeRoot implements UpperTree {
  keepingTime<T>(path: string, change: () => T): T {
    const before = this.lstat(path);
    const result = change();
    if (before !== undefined) setModificationTime(this.at(path), before.mtimeNs);
    return result;
  }

  makeDirectory(path: string): void {
    const made = this.at(path);
    mkdirSync(made, 0o755);
    // A setgid directory above would have given its group.
    lchownSync(made, 0, 0);
    chmodSync(made, 0o755);
    setTime(made, EPOCH);
  }

  makeWhiteout(path: string): void {
    makeNode(this.at(path), S_IFCHR, 0);
  }

  makeDevice(device: DeviceNode): void {
    const [first, ...others] = device.paths;
    if (first === undefined) return;
    const type = device.type === "block" ? S_IFBLK : S_IFCHR;
    const at = this.at(first);
    this.keepingTime(parentOf(first), () => {
      makeNode(at, type | 0o600, deviceNumber(device.major, device.minor));
      lchownSync(at, device.uid, device.gid);
      chmodSync(at, device.mode);
      setTime(at, device);
    });
    for (const path of others) this.keepingTime(parentOf(path), () => this.link(first, path));
  }

  link(target: string, path: string): void {
    linkSync(this.at(target), this.at(path));
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  /** Moves something to a place outside of the layer, on the same file system. */
  moveOut(path: string, to: Buffer): void {
    renameSync(this.at(path), to);
  }

  unlink(path: string): void {
    unlinkSync(this.at(path));
  }

  removeDirectory(path: string): boolean {
    return tolerating(["ENOTEMPTY"], () => rmdirSync(this.at(path)) ?? true) === true;
  }

  setXattr(path: string, name: ByteString, value: Buffer): void {
    setXattr(this.at(path), toBuffer(name), value);
  }

  copyMetadata(from: string, to: string): void {
    const at = this.at(from);
    copyMetadata(at, lstatSync(at, { bigint: true }), this.at(to));
  }

  takeMetadata(below: TreeRoot, from: string, stat: TreeStat, to: string): void {
    copyMetadata(below.at(from), stat, this.at(to));
  }

  take(below: TreeRoot, from: string, stat: TreeStat, to: string): void {
    copyOne(below.at(from), stat, this.at(to));
  }
}
