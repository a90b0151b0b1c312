const BLOCK = 4096;
const SUPERBLOCK = 1024;
const MAGIC = 0xe0f5_e1e2;
/** Inodes are counted in slots of 32 bytes; the root's comes right behind the superblock. */
const SLOT = 32;
const ROOT = (SUPERBLOCK + 128) / SLOT;
const FLAT_INLINE = 2 << 1;
const S_IFDIR = 0o040000;
const TYPE_DIRECTORY = 2;

/**
 * The smallest EROFS image: one block with an empty root directory, for a trial mount.
 * @see Documentation/filesystems/erofs.rst, fs/erofs/erofs_fs.h
 */
export function emptyErofs(): Buffer {
  const image = Buffer.alloc(BLOCK);
  image.writeUInt32LE(MAGIC, SUPERBLOCK);
  image.writeUInt8(Math.log2(BLOCK), SUPERBLOCK + 12);
  image.writeUInt16LE(ROOT, SUPERBLOCK + 14);
  image.writeBigUInt64LE(1n, SUPERBLOCK + 16);
  image.writeUInt32LE(1, SUPERBLOCK + 36);
  const names = [".", ".."];
  const inode = ROOT * SLOT;
  const entries = inode + SLOT;
  const nameStart = names.length * 12;
  image.writeUInt16LE(FLAT_INLINE, inode);
  image.writeUInt16LE(S_IFDIR | 0o755, inode + 4);
  image.writeUInt16LE(2, inode + 6);
  image.writeUInt32LE(nameStart + names.join("").length, inode + 8);
  image.writeUInt32LE(1, inode + 20);
  let end = nameStart;
  for (const [at, name] of names.entries()) {
    const entry = entries + at * 12;
    image.writeBigUInt64LE(BigInt(ROOT), entry);
    image.writeUInt16LE(end, entry + 8);
    image.writeUInt8(TYPE_DIRECTORY, entry + 10);
    end += image.write(name, entries + end, "latin1");
  }
  return image;
}
