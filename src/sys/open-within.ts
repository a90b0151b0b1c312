import { ErrnoError, errorCode } from "./errno.ts";
import { cString, invoke, shown } from "./libc.ts";

/** The same on every architecture. */
const OPENAT2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;
const O_CLOEXEC = 0o2000000;

/** Refers to a file without opening it: no device, FIFO or permission is touched. */
export const O_PATH = 0o10000000;

/**
 * How a path is walked: `root` takes the directory for "/", as chroot(2) would; `plain` stays
 * below it and meets no symlink.
 */
export type Walk = "root" | "plain";

const RESOLVE: Readonly<Record<Walk, number>> = {
  root: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  plain: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
};

/** How often a path is walked again when something was renamed meanwhile. */
const ATTEMPTS = 1000;

/**
 * Opens `path` below an open directory; the kernel sees to it that no symlink, `..` or rename
 * leads out, also while others move things about.
 *
 * @throws ErrnoError ELOOP for a symlink that is not to be followed; EXDEV for a way out
 * @see openat2(2)
 */
export function openWithin(
  directory: number,
  path: string | Buffer,
  flags: number,
  walk: Walk,
): number {
  // struct open_how: flags, mode, resolve; 64 bits each.
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE[walk]), 16);
  const place = { path: shown(path) };
  for (let attempt = 1; ; attempt++) {
    try {
      return invoke("syscall", [OPENAT2, directory, cString(path), how, how.length], place);
    } catch (error) {
      // A rename elsewhere kept the kernel from being sure.
      if (errorCode(error) === "EAGAIN" && attempt < ATTEMPTS) continue;
      throw error instanceof ErrnoError ? new ErrnoError("openat2", error.errno, place) : error;
    }
  }
}
