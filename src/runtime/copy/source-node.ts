import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { pathIn, pathOfOpen } from "../../sys/open-file.ts";
import { O_PATH, openWithin } from "../../sys/open-within.ts";
import { getXattr, listXattrs } from "../../sys/xattr.ts";

const LOOK = O_PATH | constants.O_NOFOLLOW;

/** A file of any kind that is held, but not opened: no FIFO waits, no device does anything. */
export interface SourceNode extends Disposable {
  /** Opened with O_PATH. */
  readonly fd: number;
  readonly stats: BigIntStats;
  /** Where a symlink leads, as it stands there. */
  readonly link: Buffer | undefined;
  /** Its name in a directory that is open, for calls that follow no link and take no descriptor. */
  readonly place: Buffer | undefined;
}

/** Holds `name` of an open directory, itself and not what it may lead to. @throws ErrnoError */
export function lookAt(directory: number, name: Buffer): SourceNode {
  const path = pathIn(directory, name);
  return node(openSync(path, LOOK), path);
}

/**
 * Holds what `path` leads to below an open directory, which counts as "/"; a symlink at the end
 * is followed.
 * @throws ErrnoError
 */
export function lookWithin(root: number, path: string): SourceNode {
  return node(openWithin(root, path, O_PATH, "root"), undefined);
}

function node(fd: number, place: Buffer | undefined): SourceNode {
  try {
    const stats = fstatSync(fd, { bigint: true });
    const isLink = place !== undefined && stats.isSymbolicLink();
    const link = isLink ? readlinkSync(place, { encoding: "buffer" }) : undefined;
    return { fd, stats, link, place, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Opens a regular file or a directory for reading: the very one that was looked at, whatever
 * has its name now.
 */
export function openForReading({ fd }: SourceNode): number {
  // A file of /proc may have nothing to read yet, and shall not keep us waiting.
  return openSync(pathOfOpen(fd), constants.O_RDONLY | constants.O_NONBLOCK);
}

export function namesIn({ fd }: SourceNode): readonly Buffer[] {
  return readdirSync(pathOfOpen(fd), { encoding: "buffer" });
}

/** The extended attributes of a file that can't be opened; @see `SourceNode.place`. */
export function pathXattrs(place: Buffer | undefined): (readonly [name: Buffer, value: Buffer])[] {
  if (place === undefined) return [];
  const names = tolerating(["ENOENT"], () => listXattrs(place)) ?? [];
  return names.map((name) => [name, getXattr(place, name) ?? Buffer.alloc(0)] as const);
}

/** Names one file among all of them: what hard links have in common. */
export function identityOfFile({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
