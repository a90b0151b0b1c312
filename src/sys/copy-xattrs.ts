import { tolerating } from "./errno.ts";
import { cString, invoke, shown } from "./libc.ts";
import { getXattr, listXattrs, setXattr } from "./xattr.ts";

const NULL = 0;
const UNSUPPORTED = ["ENOTSUP", "EOPNOTSUPP"];

/** Whether an open file has extended attributes: cheaper to learn than by its path. */
export function hasXattrs(fd: number): boolean {
  return (tolerating(UNSUPPORTED, () => invoke("flistxattr", [fd, NULL, 0])) ?? 0) > 0;
}

/**
 * Gives `to` all extended attributes of `from`: of the files themselves, not of what symlinks
 * lead to.
 */
export function copyXattrs(from: Buffer, to: Buffer): void {
  // Most files have none: to ask for the length of the names alone is the cheapest.
  const length = tolerating(UNSUPPORTED, () =>
    invoke("llistxattr", [cString(from), NULL, 0], { path: shown(from) }),
  );
  if (length === undefined || length === 0) return;
  for (const name of listXattrs(from)) {
    const value = getXattr(from, name);
    if (value !== undefined) setXattr(to, name, value);
  }
}
