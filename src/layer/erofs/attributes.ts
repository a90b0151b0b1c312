import { constants } from "node:os";
import { ErrnoError } from "../../sys/errno.ts";
import { isOverlayMark } from "../metadata.ts";
import { type Description, FILE_TYPE, type FileType } from "./format.ts";
import { aclMode } from "./posix-acl.ts";
import { xattrBytes } from "./xattrs.ts";

const ACCESS = "system.posix_acl_access";
const DEFAULT = "system.posix_acl_default";
const CAPABILITY = "security.capability";
const MAX_NAME = 255;
/** The sizes of `struct vfs_cap_data`, by its revision. */
const CAPABILITY_BYTES: Readonly<Record<number, number>> = { 2: 20, 3: 24 };

/**
 * A description with the attributes that the kernel would have let be set on a file of that
 * type. What it takes from nobody is left out; what it calls invalid is an error.
 *
 * @throws ErrnoError EINVAL, ERANGE, EACCES; E2BIG for more than an inode holds
 * @see xattr(7)
 */
export function withAttributes(
  type: FileType,
  described: Omit<Description, "xattrs">,
  xattrs: ReadonlyMap<string, Buffer>,
): Description {
  const { mode, uid, gid, seconds, nanoseconds } = described;
  let description: Description = { mode, uid, gid, seconds, nanoseconds, xattrs: NONE };
  for (const [name, value] of xattrs)
    if (!isOverlayMark(name) && isAllowed(type, name))
      description = withAttribute(type, description, name, value);
  // Here it can still be told which entry it was.
  xattrBytes(description.xattrs);
  return description;
}

const NONE: ReadonlyMap<string, Buffer> = new Map();

/** Whether files of a type can have an attribute at all. */
export function isAllowed(type: FileType, name: string): boolean {
  if (name.startsWith("user.")) return type === FILE_TYPE.file || type === FILE_TYPE.directory;
  if (name === ACCESS || name === DEFAULT) return type !== FILE_TYPE.symlink;
  return name.startsWith("trusted.") || name.startsWith("security.");
}

/** @throws ErrnoError EINVAL, ERANGE, EACCES as setxattr(2) */
export function withAttribute(
  type: FileType,
  description: Description,
  name: string,
  value: Buffer,
): Description {
  if (name.length > MAX_NAME) throw refused("ERANGE", name);
  if (name.endsWith(".") && name.indexOf(".") === name.length - 1) throw refused("EINVAL", name);
  const xattrs = new Map(description.xattrs);
  if (name === CAPABILITY && CAPABILITY_BYTES[value[3] ?? 0] !== value.length)
    throw refused("EINVAL", name);
  if (name !== ACCESS && name !== DEFAULT)
    return { ...description, xattrs: xattrs.set(name, value) };
  const acl = aclMode(value);
  if (acl === undefined) throw refused("EINVAL", name);
  if (name === DEFAULT && type !== FILE_TYPE.directory) throw refused("EACCES", name);
  const kept = name === ACCESS ? !acl.minimal : value.length > 4;
  if (kept) xattrs.set(name, value);
  else xattrs.delete(name);
  const mode = (description.mode & ~0o777) | acl.mode;
  return {
    ...description,
    xattrs,
    mode: name === ACCESS && value.length > 4 ? mode : description.mode,
  };
}

function refused(code: "EINVAL" | "ERANGE" | "EACCES", name: string): ErrnoError {
  return new ErrnoError("setxattr", constants.errno[code], { path: name });
}
