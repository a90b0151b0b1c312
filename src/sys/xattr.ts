import { errorCode, tolerating } from "./errno.ts";
import { cString, invoke, shown } from "./libc.ts";

/** Largest value the kernel takes (XATTR_SIZE_MAX). */
const MAX_VALUE = 65_536;

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
  tolerating(["ENODATA", "ENOTSUP", "EOPNOTSUPP"], () =>
    invoke("lremovexattr", [cString(path), cString(name)], {
      path: shown(path),
      dest: shown(name),
    }),
  );
}

/** The value of an extended attribute, or undefined when `path` has none of that name. */
export function getXattr(path: string | Buffer, name: string | Buffer): Buffer | undefined {
  const value = Buffer.alloc(MAX_VALUE);
  const length = tolerating(["ENODATA", "ENOTSUP", "EOPNOTSUPP"], () =>
    invoke("lgetxattr", [cString(path), cString(name), value, MAX_VALUE], { path: shown(path) }),
  );
  return length === undefined ? undefined : Buffer.from(value.subarray(0, length));
}

/** Names of all extended attributes of `path` itself, as bytes. */
export function listXattrs(path: string | Buffer): readonly Buffer[] {
  const names = Buffer.alloc(MAX_VALUE);
  let length: number;
  try {
    length = invoke("llistxattr", [cString(path), names, MAX_VALUE], { path: shown(path) });
  } catch (error) {
    if (errorCode(error) === "ENOTSUP" || errorCode(error) === "EOPNOTSUPP") return [];
    throw error;
  }
  const found: Buffer[] = [];
  let start = 0;
  for (let end = names.indexOf(0); end >= 0 && end < length; end = names.indexOf(0, start)) {
    found.push(Buffer.from(names.subarray(start, end)));
    start = end + 1;
  }
  return found;
}
