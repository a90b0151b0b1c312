import { closeSync, openSync, readSync } from "node:fs";

const SUPERBLOCK = 1024;
const ROOT_NUMBER = SUPERBLOCK + 14;
const SLOT = 32;
/** The root's inode is in the first block: a rule of whoever writes the images here. */
const BLOCK = 4096;

/**
 * Whether an image's root directory has extended attributes: asking the kernel takes FFI.
 * @see linux/fs/erofs/erofs_fs.h
 */
export function rootHasXattrs(image: string): boolean {
  const block = Buffer.alloc(BLOCK);
  const fd = openSync(image, "r");
  try {
    readSync(fd, block, 0, BLOCK, 0);
  } finally {
    closeSync(fd);
  }
  const inode = block.readUInt16LE(ROOT_NUMBER) * SLOT;
  return inode + 4 > BLOCK || block.readUInt16LE(inode + 2) > 0;
}
