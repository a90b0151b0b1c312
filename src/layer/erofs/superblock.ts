import { crc32c } from "./crc32c.ts";
import { BLOCK, SLOT } from "./format.ts";

/** Where the superblock starts, in bytes; before it is room for a boot sector. */
const START = 1024;
const MAGIC = 0xe0f5_e1e2;
const BLOCK_BITS = 12;
const HAS_CHECKSUM = 1;
/** The time of compact inodes is that of modification. */
const TIME_IS_MODIFICATION = 2;
const HAS_CHUNKS = 4;

/** Where the root directory's inode is, in bytes: after the superblock, in the same block. */
export const ROOT_PLACE = START + 128;
export const ROOT_NUMBER = ROOT_PLACE / SLOT;

export interface Superblock {
  readonly inodes: number;
  /** Time of every inode that is stored compactly. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly blocks: number;
  /** 16 bytes. */
  readonly uuid: Buffer;
  /** Whether any file has holes: older kernels can't read such files. */
  readonly chunks: boolean;
}

/**
 * Writes the superblock into the image's first block, in which all else already is: the
 * checksum covers it.
 * @see linux/fs/erofs/erofs_fs.h, struct erofs_super_block
 */
export function writeSuperblock(block: Buffer, fields: Superblock): void {
  const at = block.subarray(START, BLOCK);
  at.writeUInt32LE(MAGIC, 0);
  at.writeUInt32LE(HAS_CHECKSUM | TIME_IS_MODIFICATION, 8);
  at.writeUInt8(BLOCK_BITS, 12);
  at.writeUInt16LE(ROOT_NUMBER, 14);
  at.writeBigUInt64LE(BigInt(fields.inodes), 16);
  at.writeBigInt64LE(BigInt(fields.seconds), 24);
  at.writeUInt32LE(fields.nanoseconds, 32);
  at.writeUInt32LE(fields.blocks, 36);
  fields.uuid.copy(at, 48, 0, 16);
  at.writeUInt32LE(fields.chunks ? HAS_CHUNKS : 0, 80);
  at.writeUInt32LE(crc32c(at), 4);
}
