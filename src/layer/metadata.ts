import { chmodSync, lchownSync, lutimesSync } from "node:fs";
import { errorCode } from "../sys/errno.ts";
import { setModificationTime } from "../sys/file-node.ts";
import { setXattr } from "../sys/xattr.ts";
import type { OnRefused } from "./layer-target.ts";
import { toBuffer } from "./tar/byte-string.ts";
import type { TarEntry, TarTime } from "./tar/entry.ts";

/** Beyond this many seconds the kernel's own clamp takes over; it keeps 64 bits from overflowing. */
const FAR = 2 ** 40;
const FAR_IN_32_BITS = 2 ** 31 - 1;

/**
 * Whether `node:fs` sets it exactly, five times as fast as FFI: it takes fractions for
 * floating-point numbers, and times before 1970 for "now".
 */
export function isPlainTime(time: TarTime): boolean {
  return time.nanoseconds === 0 && time.seconds >= 0 && time.seconds < FAR;
}

/** Sets the times of `path` itself; the file system takes the nearest that it can. */
export function setTime(path: string | Buffer, time: TarTime): void {
  try {
    if (isPlainTime(time)) lutimesSync(path, time.seconds, time.seconds);
    else setExactTime(path, time, FAR);
  } catch (error) {
    // Most file systems clamp by themselves; ZFS by FUSE, whose times have 32 bits, refuses.
    if (errorCode(error) !== "EOVERFLOW") throw error;
    setExactTime(path, time, FAR_IN_32_BITS);
  }
}

function setExactTime(path: string | Buffer, time: TarTime, far: number): void {
  const seconds = Math.max(-far - 1, Math.min(far, time.seconds));
  setModificationTime(path, BigInt(seconds) * 1_000_000_000n + BigInt(time.nanoseconds));
}

/** Owner first, since chown(2) takes setuid and setgid away. */
export function setOwnerAndMode(path: string | Buffer, entry: TarEntry): void {
  if (entry.uid !== 0 || entry.gid !== 0) lchownSync(path, entry.uid, entry.gid);
  if (entry.type !== "symlink") chmodSync(path, entry.mode);
}

/** Attributes by which overlay marks its own directories: they never come in from outside. */
export function isOverlayMark(name: string): boolean {
  return name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.");
}

/**
 * Sets an entry's extended attributes.
 *
 * @param refused receives those that this process may not set
 * @throws ErrnoError; a file system without such attributes is no error, as with every peer
 */
export function setXattrs(path: string | Buffer, entry: TarEntry, refused: OnRefused): void {
  for (const [name, value] of entry.xattrs) {
    if (isOverlayMark(name)) continue;
    try {
      setXattr(path, toBuffer(name), value);
    } catch (error) {
      const code = errorCode(error);
      if (code === "EPERM") refused(name, value);
      else if (code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    }
  }
}
