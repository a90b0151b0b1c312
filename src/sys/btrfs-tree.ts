import { ioctl } from "./ioctl.ts";
import type { OpenDirectory } from "./open-directory.ts";

const TREE_SEARCH_V2 = { name: "BTRFS_IOC_TREE_SEARCH_V2", number: 0xc070_9411 };
/** Bytes of the search key and of the answer's size, before the answer. */
const HEADER = 112;
/** Room for answers: more than the largest item, which a tree node of 64 KiB holds. */
const ROOM = 128 * 1024;
const LARGEST = (1n << 64n) - 1n;

/** The tree that lists all subvolumes; and the one of quota groups. */
export const ROOT_TREE = 1;
export const QUOTA_TREE = 8;
/** The tree of the directory that is searched through. */
export const OWN_TREE = 0;

/** One item of a b-tree of btrfs. Its bytes are valid until the next one is asked for. */
export interface TreeItem {
  readonly objectId: number;
  readonly type: number;
  readonly offset: bigint;
  readonly data: Buffer;
}

/** Which items of a tree: all by default. */
export interface TreeRange {
  readonly tree: number;
  readonly objectId?: number;
  /** Together with `objectId` only. */
  readonly type?: number;
  /** Leaves out whole tree nodes that no later transaction has written. */
  readonly since?: number;
}

/**
 * The items of a tree in the order of their keys. What is in memory but not yet in the tree
 * is missed: sync first.
 * @see linux/btrfs.h, struct btrfs_ioctl_search_key
 */
export function* searchTree(directory: OpenDirectory, range: TreeRange): Generator<TreeItem> {
  const { tree, objectId, type, since = 0 } = range;
  const args = Buffer.alloc(HEADER + ROOM);
  args.writeBigUInt64LE(BigInt(tree), 0);
  args.writeBigUInt64LE(BigInt(objectId ?? 0), 8);
  args.writeBigUInt64LE(objectId === undefined ? LARGEST : BigInt(objectId), 16);
  args.writeBigUInt64LE(LARGEST, 32);
  args.writeBigUInt64LE(BigInt(since), 40);
  args.writeBigUInt64LE(LARGEST, 48);
  args.writeUInt32LE(type ?? 0, 56);
  args.writeUInt32LE(type ?? 255, 60);
  args.writeBigUInt64LE(BigInt(ROOM), 104);
  for (;;) {
    args.writeUInt32LE(0xffff_ffff, 64);
    ioctl(directory.fd, TREE_SEARCH_V2, args, { path: directory.path });
    const found = args.readUInt32LE(64);
    if (found === 0) return;
    let at = HEADER;
    for (let index = 0; index < found; index++) {
      const length = args.readUInt32LE(at + 28);
      const data = args.subarray(at + 32, at + 32 + length);
      const offset = args.readBigUInt64LE(at + 16);
      const object = args.readBigUInt64LE(at + 8);
      const kind = args.readUInt32LE(at + 24);
      at += 32 + length;
      if (index === found - 1 && !startAfter(args, object, kind, offset)) return;
      yield { objectId: Number(object), type: kind, offset, data };
    }
  }
}

/** Lets the next search begin after a key. @returns false when there is none after it */
function startAfter(args: Buffer, object: bigint, type: number, offset: bigint): boolean {
  const carry = offset === LARGEST;
  const typeCarry = carry && type === 255;
  if (typeCarry && object === LARGEST) return false;
  args.writeBigUInt64LE(carry ? 0n : offset + 1n, 24);
  args.writeUInt32LE(typeCarry ? 0 : carry ? type + 1 : type, 56);
  args.writeBigUInt64LE(typeCarry ? object + 1n : object, 8);
  return true;
}
