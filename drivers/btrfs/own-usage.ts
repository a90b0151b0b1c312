import { SUBVOLUME_ROOT, subvolumeInfo, syncBtrfs } from "../../src/sys/btrfs-ioctl.ts";
import { OWN_TREE, searchTree } from "../../src/sys/btrfs-tree.ts";
import { type OpenDirectory, openBtrfsDirectory } from "../../src/sys/open-directory.ts";
import type { Usage } from "../driver.ts";
import { nestedSubvolumes } from "./subvolume-tree.ts";

const INODE_ITEM = 1;
const EXTENT_DATA = 108;
const FIRST_INODE = 256;
/** Where an inode item tells the last transaction that changed it. */
const INODE_TRANSACTION = 8;
/** Where a file extent item tells its kind, and the extent that it refers to. */
const EXTENT_KIND = 20;
const EXTENT_ADDRESS = 21;
const EXTENT_BYTES = 29;
const INLINE = 0;

/**
 * What a subvolume has that the snapshot it was made from has not, and all of the subvolumes
 * inside it.
 *
 * Every item of a file tree carries the transaction that wrote it. Those later than the one
 * that made the snapshot are its own; the kernel skips the tree nodes that hold none, so this
 * costs what was changed, not what is there. Extents count once, as large as they are on the
 * disk, and also when they are a reflink to another file's.
 */
export function ownUsage(subvolume: OpenDirectory): Usage {
  // What has not been given its place on the disk yet is in no tree.
  syncBtrfs(subvolume);
  const { id, snapshotOf } = subvolumeInfo(subvolume);
  const usage = writtenAfter(subvolume, snapshotOf);
  for (const nested of nestedSubvolumes(subvolume, id)) {
    using root = openBtrfsDirectory(subvolume, nested.id, SUBVOLUME_ROOT);
    const more = writtenAfter(root, 0);
    usage.bytes += more.bytes;
    usage.inodes += more.inodes;
  }
  return usage;
}

function writtenAfter(
  subvolume: OpenDirectory,
  transaction: number,
): { bytes: number; inodes: number } {
  const extents = new Set<number>();
  let bytes = 0;
  let inodes = 0;
  const range = { tree: OWN_TREE, since: transaction + 1 };
  for (const { objectId, type, data } of searchTree(subvolume, range)) {
    if (objectId < FIRST_INODE) continue;
    if (type === INODE_ITEM) {
      if (Number(data.readBigUInt64LE(INODE_TRANSACTION)) > transaction) inodes += 1;
    } else if (type === EXTENT_DATA) {
      if (Number(data.readBigUInt64LE(0)) <= transaction) continue;
      if (data[EXTENT_KIND] === INLINE) {
        bytes += data.length - EXTENT_ADDRESS;
        continue;
      }
      const address = Number(data.readBigUInt64LE(EXTENT_ADDRESS));
      if (address === 0 || extents.has(address)) continue;
      extents.add(address);
      bytes += Number(data.readBigUInt64LE(EXTENT_BYTES));
    }
  }
  return { bytes, inodes };
}
