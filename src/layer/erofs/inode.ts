import {
  BLOCK,
  COMPACT_INODE,
  type Description,
  EXTENDED_INODE,
  FILE_TYPE,
  type FileType,
  FORMAT_MASK,
  formatBits,
  isFileType,
  LAYOUT,
} from "./format.ts";
import { xattrBytesOfCount, xattrCount } from "./xattrs.ts";

const EXTENDED = 1;
const LAYOUT_MASK = 7;
const MAX_16 = 0xffff;
const MAX_32 = 0xffff_ffff;

/** A point in time that compact inodes share. */
export interface CommonTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface InodeFacts {
  readonly type: FileType;
  readonly description: Description;
  /** Bytes of content, or of a symlink's target. */
  readonly size: number;
  readonly links: number;
}

export interface Inode extends InodeFacts {
  readonly layout: number;
  /** The first block of content, a device's number, or the size of chunks. */
  readonly union: number;
}

/** Whether an inode fits in 32 bytes: small numbers, and the time that all of those have. */
export function isCompact(inode: InodeFacts, common: CommonTime): boolean {
  const { description, size, links } = inode;
  return (
    description.uid <= MAX_16 &&
    description.gid <= MAX_16 &&
    description.seconds === common.seconds &&
    description.nanoseconds === common.nanoseconds &&
    size <= MAX_32 &&
    links <= MAX_16
  );
}

export function inodeBytes(compact: boolean): number {
  return compact ? COMPACT_INODE : EXTENDED_INODE;
}

/**
 * Writes an inode at `at`, where all is 0; attributes and content follow it.
 * @param number the inode's own, of which 32 bits are stored
 * @see linux/fs/erofs/erofs_fs.h, struct erofs_inode_compact, erofs_inode_extended
 */
export function writeInode(
  inode: Inode,
  compact: boolean,
  xattrSize: number,
  number: number,
  into: Buffer,
  at: number,
): void {
  const { description, size, links } = inode;
  into.writeUInt16LE((inode.layout << 1) | (compact ? 0 : EXTENDED), at);
  into.writeUInt16LE(xattrCount(xattrSize), at + 2);
  into.writeUInt16LE(formatBits(inode.type) | description.mode, at + 4);
  into.writeUInt32LE(inode.union, at + 16);
  into.writeUInt32LE(number % 2 ** 32, at + 20);
  if (compact) {
    into.writeUInt16LE(links, at + 6);
    into.writeUInt32LE(size, at + 8);
    into.writeUInt16LE(description.uid, at + 24);
    into.writeUInt16LE(description.gid, at + 26);
    return;
  }
  into.writeUInt32LE(size % 2 ** 32, at + 8);
  into.writeUInt32LE(Math.floor(size / 2 ** 32), at + 12);
  into.writeUInt32LE(description.uid, at + 24);
  into.writeUInt32LE(description.gid, at + 28);
  into.writeUInt32LE(modulo32(description.seconds), at + 32);
  into.writeInt32LE(Math.floor(description.seconds / 2 ** 32), at + 36);
  into.writeUInt32LE(description.nanoseconds, at + 40);
  into.writeUInt32LE(links, at + 44);
}

/** Where an inode states its number of names, and in how many bytes. */
export function linksField(compact: boolean): { readonly at: number; readonly bytes: number } {
  return compact ? { at: 6, bytes: 2 } : { at: 44, bytes: 4 };
}

export interface StoredInode extends Inode {
  readonly compact: boolean;
  /** Bytes of the attributes behind it, which `description` lacks. */
  readonly xattrSize: number;
}

/**
 * Reads an inode of at least 32 bytes, 64 for an extended one.
 * @returns undefined when it is none that is ever written here
 */
export function readInode(from: Buffer, common: CommonTime): StoredInode | undefined {
  const format = from.readUInt16LE(0);
  const compact = (format & EXTENDED) === 0;
  const layout = (format >> 1) & LAYOUT_MASK;
  const mode = from.readUInt16LE(4);
  const type = typeOf(mode);
  const known = Object.values<number>(LAYOUT).includes(layout) && format < 16;
  if (!known || type === undefined || from.length < inodeBytes(compact)) return undefined;
  const size = compact ? from.readUInt32LE(8) : Number(from.readBigUInt64LE(8));
  if (!Number.isSafeInteger(size)) return undefined;
  return {
    type,
    description: {
      mode: mode & ~FORMAT_MASK,
      uid: compact ? from.readUInt16LE(24) : from.readUInt32LE(24),
      gid: compact ? from.readUInt16LE(26) : from.readUInt32LE(28),
      seconds: compact ? common.seconds : Number(from.readBigInt64LE(32)),
      nanoseconds: compact ? common.nanoseconds : from.readUInt32LE(40),
      xattrs: new Map(),
    },
    size,
    links: compact ? from.readUInt16LE(6) : from.readUInt32LE(44),
    layout,
    union: from.readUInt32LE(16),
    compact,
    xattrSize: xattrBytesOfCount(from.readUInt16LE(2)),
  };
}

/** Bytes of what stands behind an inode's attributes. */
export function tailBytes({ layout, size, union }: Inode): number {
  if (layout === LAYOUT.inline) return size % BLOCK;
  if (layout === LAYOUT.chunks) return 4 * Math.ceil(size / chunkBytes(union));
  return 0;
}

/** Bytes of a chunk, by the exponent that the inode states. */
export function chunkBytes(exponent: number): number {
  return BLOCK * 2 ** (exponent & 31);
}

function typeOf(mode: number): FileType | undefined {
  const found = Object.values(FILE_TYPE).find((type) => formatBits(type) === (mode & FORMAT_MASK));
  return found !== undefined && isFileType(found) ? found : undefined;
}

function modulo32(value: number): number {
  return ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;
}
