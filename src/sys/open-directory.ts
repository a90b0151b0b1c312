import { closeSync, constants, openSync } from "node:fs";
import { invoke } from "./libc.ts";

const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** A handle of btrfs that names an inode of a subvolume, without its parent. */
const FILEID_BTRFS_WITHOUT_PARENT = 0x4d;
/** Bytes of such a handle: inode, subvolume, generation. */
const BTRFS_HANDLE_BYTES = 20;

/** A directory held open until it is disposed of. */
export interface OpenDirectory extends Disposable {
  readonly fd: number;
  /** Where it was found, for messages. */
  readonly path: string;
}

/** Opens `path` itself: a symlink is refused. */
export function openDirectory(path: string): OpenDirectory {
  return disposable(openSync(path, FLAGS), path);
}

/**
 * Opens a directory of btrfs by its numbers: it may lie deeper than any path can say, below
 * names that somebody else chose and may be changing.
 *
 * @param beside any open directory of the same file system
 * @throws ErrnoError ESTALE when there is no such directory any more
 * @see open_by_handle_at(2)
 */
export function openBtrfsDirectory(
  beside: OpenDirectory,
  subvolume: number,
  inode: number,
): OpenDirectory {
  const handle = Buffer.alloc(8 + BTRFS_HANDLE_BYTES);
  handle.writeUInt32LE(BTRFS_HANDLE_BYTES, 0);
  handle.writeInt32LE(FILEID_BTRFS_WITHOUT_PARENT, 4);
  handle.writeBigUInt64LE(BigInt(inode), 8);
  // The generation that would follow stays 0: any.
  handle.writeBigUInt64LE(BigInt(subvolume), 16);
  const path = `${beside.path} (subvolume ${subvolume}, inode ${inode})`;
  return disposable(invoke("open_by_handle_at", [beside.fd, handle, FLAGS], { path }), path);
}

function disposable(fd: number, path: string): OpenDirectory {
  return { fd, path, [Symbol.dispose]: () => closeSync(fd) };
}
