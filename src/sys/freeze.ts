import { closeSync, openSync } from "node:fs";
import { errorCode } from "./errno.ts";
import { ioctl } from "./ioctl.ts";

const FIFREEZE = { name: "FIFREEZE", number: 0xc004_5877 };
const FITHAW = { name: "FITHAW", number: 0xc004_5878 };

/** What file systems answer that can't be frozen: those of FUSE, ZFS. */
const CANNOT = ["EOPNOTSUPP", "ENOTTY", "EINVAL", "ENOSYS"];

/**
 * Brings a file system to the disk as a whole, its journal emptied: frozen, and let go at once.
 * Unlike after syncfs(2), nothing of it is held in memory by the journal then.
 *
 * @returns false when it can't be frozen: nothing has happened then
 * @see linux/fs.h, FIFREEZE; fsfreeze(8)
 */
export function flushWhole(directory: string): boolean {
  const fd = openSync(directory, "r");
  try {
    ioctl(fd, FIFREEZE, Buffer.alloc(4), { path: directory });
    ioctl(fd, FITHAW, Buffer.alloc(4), { path: directory });
    return true;
  } catch (error) {
    if (CANNOT.includes(errorCode(error) ?? "")) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}
