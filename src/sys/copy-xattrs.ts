import { tolerating } from "./errno.ts";
import { cString, invoke, shown } from "./libc.ts";
import { getXattr, listXattrs, setXattr } from "./xattr.ts";

const NULL = 0;

/** Gives `to` all extended attributes of `from`, of the files themselves, not of what symlinks lead to. */
export function copyXattrs(from: Buffer, to: Buffer): void {
  // Most files have none: asking for the names' length alone is the cheapest way to learn it.
  const length = tolerating(["ENOTSUP", "EOPNOTSUPP"], () =>
    invoke("llistxattr", [cString(from), NULL, 0], { path: shown(from) }),
  );
  if (length === undefined || length === 0) return;
  for (const name of listXattrs(from)) {
    const value = getXattr(from, name);
    if (value !== undefined) setXattr(to, name, value);
  }
}
