import { readFileSync } from "node:fs";
import { tolerating } from "./errno.ts";
import { cString, invoke, shown } from "./libc.ts";
import { XATTR_ABSENT, XATTR_MAX, xattrNames } from "./xattr.ts";

/*
 * What is done to a file through its descriptor or the directory it is in. Whoever moves things
 * about in that directory can't lead such a call astray: the last part of a path below
 * /proc/self/fd/N is looked up in the very directory that is open, and nowhere else.
 */

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const BILLION = 1_000_000_000n;

/** A path to `name`, one component, in an open directory. For calls that follow no link. */
export function pathIn(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

/** A path to what a descriptor refers to, also to one opened with O_PATH. */
export function pathOfOpen(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/**
 * Which mount an open file was reached by. One that is not its directory's is mounted there.
 * @see proc_pid_fdinfo(5)
 */
export function mountIdOf(fd: number): string | undefined {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
}

/**
 * Gives an open file a name: one without any (O_TMPFILE), or one more.
 * @throws ErrnoError EEXIST when the name is taken
 * @see linkat(2), AT_SYMLINK_FOLLOW
 */
export function linkOpenFile(fd: number, directory: number, name: Buffer): void {
  const from = [AT_FDCWD, cString(pathOfOpen(fd))] as const;
  const args = [...from, directory, cString(name), AT_SYMLINK_FOLLOW] as const;
  invoke("linkat", args, { path: shown(name) });
}

/**
 * Sets both times of an open file, in nanoseconds since 1970, negative before.
 * @see futimens(3)
 */
export function setOpenFileTimes(fd: number, accessed: bigint, modified: bigint): void {
  const times = Buffer.alloc(32);
  for (const [at, time] of [
    [0, accessed],
    [16, modified],
  ] as const) {
    const fraction = ((time % BILLION) + BILLION) % BILLION;
    times.writeBigInt64LE((time - fraction) / BILLION, at);
    times.writeBigInt64LE(fraction, at + 8);
  }
  invoke("futimens", [fd, times]);
}

/** Every extended attribute of a file that is open for reading or writing. */
export function openFileXattrs(fd: number): readonly (readonly [name: Buffer, value: Buffer])[] {
  // Most files have none: to ask for the length of the names alone is the cheapest.
  const length = tolerating(XATTR_ABSENT, () => invoke("flistxattr", [fd, 0, 0]));
  if (length === undefined || length === 0) return [];
  const names = Buffer.alloc(XATTR_MAX);
  const found: (readonly [Buffer, Buffer])[] = [];
  for (const name of xattrNames(names, invoke("flistxattr", [fd, names, XATTR_MAX]))) {
    const value = Buffer.alloc(XATTR_MAX);
    const size = tolerating(XATTR_ABSENT, () =>
      invoke("fgetxattr", [fd, cString(name), value, XATTR_MAX]),
    );
    if (size !== undefined) found.push([name, Buffer.from(value.subarray(0, size))]);
  }
  return found;
}

/** @throws ErrnoError ENOTSUP where the file system has no such attributes */
export function setOpenFileXattr(fd: number, name: Buffer, value: Buffer): void {
  // An empty Buffer has no address that the FFI could pass on.
  const bytes = value.length === 0 ? Buffer.alloc(1) : value;
  invoke("fsetxattr", [fd, cString(name), bytes, value.length, 0], { dest: shown(name) });
}
