import { cString, invoke, shown } from "./libc.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_OMIT = (1n << 30n) - 2n;

/** The types of special file, as the upper bits of st_mode (inode(7)). */
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFIFO = 0o010000;

/**
 * A device number as the kernel packs it for user space: 12 bits of major, 20 of minor.
 * @see makedev(3)
 */
export function deviceNumber(major: number, minor: number): number {
  const high = BigInt(major & ~0xfff) << 32n;
  const low = BigInt(((major & 0xfff) << 8) | (minor & 0xff));
  return Number(high | (BigInt(minor & ~0xff) << 12n) | low);
}

/**
 * Makes a special file.
 * @param mode type and permission bits; the umask is taken off
 * @see mknod(2)
 */
export function makeNode(path: string | Buffer, mode: number, device: number): void {
  invoke("mknod", [cString(path), mode, device], { path: shown(path) });
}

/**
 * Sets the modification time of `path` itself to the nanosecond; the access time stays.
 * @param nanoseconds since 1970, negative before
 * @see utimensat(2)
 */
export function setModificationTime(path: string | Buffer, nanoseconds: bigint): void {
  const billion = 1_000_000_000n;
  const fraction = ((nanoseconds % billion) + billion) % billion;
  const times = Buffer.alloc(32);
  times.writeBigInt64LE(UTIME_OMIT, 8);
  times.writeBigInt64LE((nanoseconds - fraction) / billion, 16);
  times.writeBigInt64LE(fraction, 24);
  invoke("utimensat", [AT_FDCWD, cString(path), times, AT_SYMLINK_NOFOLLOW], {
    path: shown(path),
  });
}
