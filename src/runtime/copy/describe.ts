import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  openSync,
  symlinkSync,
} from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { makeNode } from "../../sys/file-node.ts";
import { setTimes } from "../../sys/file-times.ts";
import { pathOfOpen, setOpenFileTimes, setOpenFileXattr } from "../../sys/open-file.ts";
import { O_PATH } from "../../sys/open-within.ts";
import { setXattr } from "../../sys/xattr.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What is known of a file beside its content. */
export interface Description {
  readonly owner: Owner;
  /** Permission bits with set-user-ID, set-group-ID and sticky. */
  readonly mode: number;
  readonly xattrs: readonly (readonly [name: Buffer, value: Buffer])[];
  /** Nanoseconds since 1970, as is `modified`. */
  readonly accessed: bigint;
  readonly modified: bigint;
}

/** What is neither a regular file nor a directory. */
export type SpecialFile =
  | { readonly kind: "symlink"; readonly target: Buffer }
  /** `type` as the upper bits of st_mode. */
  | { readonly kind: "node"; readonly type: number; readonly device: number };

const NO_XATTRS: readonly string[] = ["ENOTSUP", "EOPNOTSUPP"];

/** Describes an open file or directory. A file system without such attributes is no error. */
export function describeOpen(fd: number, description: Description): void {
  const { owner, mode, xattrs, accessed, modified } = description;
  fchownSync(fd, owner.uid, owner.gid);
  // After the owner: chown(2) takes set-user-ID bits and file capabilities away.
  fchmodSync(fd, mode);
  for (const [name, value] of xattrs)
    tolerating(NO_XATTRS, () => setOpenFileXattr(fd, name, value) ?? true);
  setOpenFileTimes(fd, accessed, modified);
}

/**
 * Makes a special file and describes it. Follows no link, also when somebody puts one there
 * while it is being described.
 *
 * @param path a name in an open directory
 * @throws ErrnoError EEXIST when the name is taken
 */
export function makeSpecial(path: Buffer, file: SpecialFile, description: Description): void {
  const { owner, mode, xattrs, accessed, modified } = description;
  if (file.kind === "symlink") symlinkSync(file.target, path);
  else makeNode(path, file.type | 0o600, file.device);
  lchownSync(path, owner.uid, owner.gid);
  if (file.kind === "node") setMode(path, mode);
  for (const [name, value] of xattrs)
    tolerating(NO_XATTRS, () => setXattr(path, name, value) ?? true);
  setTimes(path, accessed, modified);
}

function setMode(path: Buffer, mode: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    // What the descriptor refers to: a symlink that is there by now has no mode to set.
    tolerating(["ENOTSUP", "EOPNOTSUPP"], () => chmodSync(pathOfOpen(fd), mode) ?? true);
  } finally {
    closeSync(fd);
  }
}
