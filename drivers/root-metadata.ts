import { chmodSync, chownSync, statSync, utimesSync } from "node:fs";
import { setModificationTime } from "../src/sys/file-node.ts";
import { getXattr, listXattrs, setXattr } from "../src/sys/xattr.ts";

/** What overlay keeps on a directory for itself. */
const OVERLAY_MARK = /^(trusted|user)\.overlay\./;

/**
 * Whether the root of a tree is described by more than owner, mode and whole seconds, which
 * is all that can be copied without FFI.
 */
export function isElaborate(directory: string): boolean {
  const { mtimeNs } = statSync(directory, { bigint: true });
  const plain = mtimeNs >= 0n && mtimeNs % 1_000_000_000n === 0n;
  return !plain || attributes(directory).length > 0;
}

/**
 * Gives a container's own directory the owner, mode, time and attributes of its image's root:
 * it is what overlay shows as the root.
 *
 * @param elaborate see `isElaborate`; spares loading FFI, which takes as long as a mount
 */
export function inheritRoot(from: string, to: string, elaborate: boolean): void {
  const stat = statSync(from, { bigint: true });
  if (stat.uid !== 0n || stat.gid !== 0n) chownSync(to, Number(stat.uid), Number(stat.gid));
  chmodSync(to, Number(stat.mode & 0o7777n));
  if (!elaborate) {
    const seconds = Number(stat.mtimeNs / 1_000_000_000n);
    return utimesSync(to, seconds, seconds);
  }
  for (const name of attributes(from)) {
    const value = getXattr(from, name);
    if (value !== undefined) setXattr(to, name, value);
  }
  setModificationTime(to, stat.mtimeNs);
}

function attributes(directory: string): readonly Buffer[] {
  return listXattrs(directory).filter((name) => !OVERLAY_MARK.test(name.toString("latin1")));
}
