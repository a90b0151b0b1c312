import { errorCode, tolerating } from "./errno.ts";
import { cString, invoke, shown } from "./libc.ts";

/** Largest value the kernel takes (XATTR_SIZE_MAX). */
export const XATTR_MAX = 65_536;

/** What the kernel answers for an attribute that isn't there, or can't be. */
export const XATTR_ABSENT: readonly string[] = ["ENODATA", "ENOTSUP", "EOPNOTSUPP"];

/**
 * Sets an extended attribute of `path` itself, not of what a symlink leads to.
 * @see lsetxattr(2)
 */
export function setXattr(path: string | Buffer, name: string | Buffer, value: Buffer): void {
  // An empty Buffer has no address that the FFI could pass on.
  const bytes = value.length === 0 ? Buffer.alloc(1) : value;
  invoke("lsetxattr", [cString(path), cString(name), bytes, value.length, 0], {
    path: shown(path),
    dest: shown(name),
  });
}

/**
 * Removes an extended attribute of `path` itself; one that isn't there is no error.
 * @see lremovexattr(2)
 */
export function removeXattr(path: string | Buffer, name: string | Buffer): void {
  tolerating(XATTR_ABSENT, () =>
    invoke("lremovexattr", [cString(path), cString(name)], {
      path: shown(path),
      dest: shown(name),
    }),
  );
}

/** The value of an extended attribute, or undefined when `path` has none of that name. */
export function getXattr(path: string | Buffer, name: string | Buffer): Buffer | undefined {
  const value = Buffer.alloc(XATTR_MAX);
  const length = tolerating(XATTR_ABSENT, () =>
    invoke("lgetxattr", [cString(path), cString(name), value, XATTR_MAX], { path: shown(path) }),
  );
  return length === undefined ? undefined : Buffer.from(value.subarray(0, length));
}

/** Names of all extended attributes of `path` itself, as bytes. */
export function listXattrs(path: string | Buffer): readonly Buffer[] {
  const names = Buffer.alloc(XATTR_MAX);
  let length: number;
  try {
    length = invoke("llistxattr", [cString(path), names, XATTR_MAX], { path: shown(path) });
  } catch (error) {
    if (errorCode(error) === "ENOTSUP" || errorCode(error) === "EOPNOTSUPP") return [];
    throw error;
  }
  return xattrNames(names, length);
}

/** Each ended by a NUL. @param length how much of `list` is filled */
export function xattrNames(list: Buffer, length: number): readonly Buffer[] {
  const found: Buffer[] = [];
  let start = 0;
  for (let end = list.indexOf(0); end >= 0 && end < length; end = list.indexOf(0, start)) {
    found.push(Buffer.from(list.subarray(start, end)));
    start = end + 1;
  }
  return found;
}
