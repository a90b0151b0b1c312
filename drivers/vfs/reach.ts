import { closeSync, constants, openSync } from "node:fs";

/** Longest path of a directory that leaves room for a name below PATH_MAX, in bytes. */
const LONGEST = 3800;
const SLASH = 0x2f;
/** Linux's O_PATH: a place, without the right to read it. */
const O_PATH = 0o10000000;
const FLAGS = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory under a path that system calls take, until it is disposed of. */
export interface Reached extends Disposable {
  readonly path: Buffer;
}

/**
 * Trees may be deeper than a path can be long, 4,096 bytes. A directory down there is opened
 * piece by piece and reached by its file descriptor; all others by their own path.
 *
 * @param path absolute, without symlinks
 */
export function reach(path: Buffer): Reached {
  if (path.length <= LONGEST) return { path, [Symbol.dispose]() {} };
  let fd = -1;
  let rest = path;
  let base = rest;
  while (rest.length > LONGEST) {
    const cut = rest.lastIndexOf(SLASH, LONGEST);
    base = joined(fd, rest.subarray(0, cut));
    fd = reopen(fd, base);
    rest = rest.subarray(cut + 1);
  }
  if (rest.length > 0) fd = reopen(fd, joined(fd, rest));
  const last = fd;
  // With the dot it is the directory, without it a symlink to it.
  return { path: Buffer.from(`/proc/self/fd/${last}/.`), [Symbol.dispose]: () => closeSync(last) };
}

export function childPath(directory: Buffer, name: Buffer): Buffer {
  const path = Buffer.allocUnsafe(directory.length + 1 + name.length);
  directory.copy(path);
  path[directory.length] = SLASH;
  name.copy(path, directory.length + 1);
  return path;
}

function joined(fd: number, rest: Buffer): Buffer {
  return fd < 0 ? rest : childPath(Buffer.from(`/proc/self/fd/${fd}`), rest);
}

/** Opens a directory below the one that `before` holds, and closes that. */
function reopen(before: number, path: Buffer): number {
  try {
    return openSync(path, FLAGS);
  } finally {
    if (before >= 0) closeSync(before);
  }
}
