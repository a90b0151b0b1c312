/** Bytes of a block, the unit in which data is addressed. */
export const BLOCK = 4096;
/** Bytes of a slot, the unit in which inodes are addressed: an inode's number is its slot. */
export const SLOT = 32;
export const COMPACT_INODE = 32;
export const EXTENDED_INODE = 64;
/** What stands in the place of a block's number where there is none. */
export const NO_BLOCK = 0xffff_ffff;
/** Most extended attributes of an inode, in bytes: what 16 bits count in words of four. */
export const MAX_XATTR_BYTES = 12 + 4 * 0xfffe;
export const MAX_NAME = 255;

/** How an inode tells where its content is. */
export const LAYOUT = {
  /** In consecutive blocks. */
  plain: 0,
  /** As `plain`, but the last bytes, less than a block, follow the inode. */
  inline: 2,
  /** In chunks of one size, any of which may be a hole; their blocks follow the inode. */
  chunks: 4,
} as const;

/** The kind of a file, as a directory states it. */
export const FILE_TYPE = {
  file: 1,
  directory: 2,
  char: 3,
  block: 4,
  fifo: 5,
  symlink: 7,
} as const;

export type FileType = (typeof FILE_TYPE)[keyof typeof FILE_TYPE];

const FORMAT_BITS: Readonly<Record<FileType, number>> = {
  [FILE_TYPE.file]: 0o100000,
  [FILE_TYPE.directory]: 0o040000,
  [FILE_TYPE.char]: 0o020000,
  [FILE_TYPE.block]: 0o060000,
  [FILE_TYPE.fifo]: 0o010000,
  [FILE_TYPE.symlink]: 0o120000,
};

export const FORMAT_MASK = 0o170000;

/** The upper bits of st_mode. @see inode(7) */
export function formatBits(type: FileType): number {
  return FORMAT_BITS[type];
}

export function isFileType(value: number): value is FileType {
  return value in FORMAT_BITS;
}

/** Who a file belongs to and what is said of it: all but its content and its names. */
export interface Description {
  /** 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Floored, so that `nanoseconds` counts up. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** By full name, one character a byte. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/** Mode 0755, root's, of 1970. */
export const PLAIN_DIRECTORY: Description = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  seconds: 0,
  nanoseconds: 0,
  xattrs: NO_XATTRS,
};

export function blocksOf(bytes: number): number {
  return Math.ceil(bytes / BLOCK);
}
