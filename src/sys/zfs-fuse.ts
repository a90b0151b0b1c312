import { dirname } from "node:path";

/** Where the command `zfs` finds the daemon. It stays behind when that is killed. */
export const ZFS_FUSE_SOCKET = "/var/run/zfs/zfs_socket";

/**
 * A command that makes zfs-fuse mount something, made to wait until no other does.
 *
 * The daemon tells itself of a new mount by two writes to a pipe. When two mounts come at the
 * same moment these get mixed up, and it hangs for ever, with everybody who looks at a file of
 * its. The command itself holds the lock, so that the next one waits for its end even when we
 * are killed.
 */
export function mountingAlone(argv: readonly string[]): readonly string[] {
  return ["flock", "--no-fork", dirname(ZFS_FUSE_SOCKET), ...argv];
}
