import { lutimesSync } from "node:fs";
import { cString, invoke, shown } from "./libc.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const BILLION = 1_000_000_000n;

/**
 * Sets both times of `path` itself, in nanoseconds since 1970, negative before. The access
 * time may end up rounded by less than a microsecond, the modification time never.
 * @see utimensat(2)
 */
export function setTimes(path: Buffer, accessed: bigint, modified: bigint): void {
  if (modified % BILLION === 0n && modified >= 0n && accessed >= 0n) {
    // Faster. Node counts in floating point, which is exact for whole seconds, and takes what
    // is negative for "now".
    lutimesSync(path, Number(accessed) / 1e9, Number(modified / BILLION));
    return;
  }
  const times = Buffer.alloc(32);
  writeTime(times, 0, accessed);
  writeTime(times, 16, modified);
  invoke("utimensat", [AT_FDCWD, cString(path), times, AT_SYMLINK_NOFOLLOW], {
    path: shown(path),
  });
}

/** A `struct timespec`. */
function writeTime(times: Buffer, at: number, nanoseconds: bigint): void {
  const fraction = ((nanoseconds % BILLION) + BILLION) % BILLION;
  times.writeBigInt64LE((nanoseconds - fraction) / BILLION, at);
  times.writeBigInt64LE(fraction, at + 8);
}
