import { closeSync, fsyncSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { errorCode } from "./errno.ts";
import { type IoctlRequest, ioctl } from "./ioctl.ts";

const BLKDISCARD: IoctlRequest = { name: "BLKDISCARD", number: 0x1277 };
/** /sys counts in these, whatever the device's own are. */
export const SECTOR = 512;

/** `major:minor` of a block device, or undefined when `path` is something else. */
export function blockDeviceNumber(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || !stat.isBlockDevice()) return undefined;
  const major = (stat.rdev >> 8n) & 0xfffn;
  const minor = (stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n);
  return `${major}:${minor}`;
}

/** Bytes of a block device, by its `major:minor`. */
export function blockDeviceSize(number: string): number {
  return Number(readFileSync(`/sys/dev/block/${number}/size`, "latin1")) * SECTOR;
}

/** Whether a block device is a file in a loop. */
export function isLoopDevice(path: string): boolean {
  return blockDeviceNumber(path)?.startsWith("7:") ?? false;
}

/** The first `length` bytes of a device, or what there is of them. */
export function readStart(path: string, length: number): Buffer {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Waits until all that was written to a device, by whomever, is on the disk. */
export function flushDevice(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Gives a device's first `bytes` back to what lies below it.
 * @returns false when that takes no discards
 */
export function discardDevice(path: string, bytes: number): boolean {
  const range = Buffer.alloc(16);
  range.writeBigUInt64LE(BigInt(bytes), 8);
  const fd = openSync(path, "r+");
  try {
    ioctl(fd, BLKDISCARD, range, { path });
    return true;
  } catch (error) {
    if (errorCode(error) === "EOPNOTSUPP" || errorCode(error) === "ENOTSUP") return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}
