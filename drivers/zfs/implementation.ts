import { existsSync, readFileSync } from "node:fs";
import { TsimgError } from "../../src/sys/error.ts";
import { programOutcome, requirePrograms } from "../../src/sys/run-program.ts";

/**
 * `kernel`: OpenZFS's module. Datasets are mounted with mount(2), whoever wants to.
 * `fuse`: zfs-fuse. Its daemon mounts them, where the property `mountpoint` says.
 */
export type Implementation = "kernel" | "fuse";

/** Where the command finds the daemon of zfs-fuse. It stays behind when that is killed. */
export const ZFS_FUSE_SOCKET = "/var/run/zfs/zfs_socket";

/**
 * Which implementation the command `zfs` speaks to.
 * @throws TsimgError ERR_DRIVER when it isn't installed, or speaks to nothing
 */
export function zfsImplementation(): Implementation {
  requirePrograms(["zfs"]);
  const kernel = /^nodev\s+zfs$/m.test(readFileSync("/proc/filesystems", "latin1"));
  const fuse = existsSync(ZFS_FUSE_SOCKET);
  // Where there are both, only one of them has a command that knows its version.
  if (kernel && fuse) return programOutcome(["zfs", "version"]).status === 0 ? "kernel" : "fuse";
  if (kernel) return "kernel";
  if (fuse) return "fuse";
  throw new TsimgError("ERR_DRIVER", "ZFS doesn't run on this machine", {
    hint: "load the kernel module (modprobe zfs), or start the daemon (zfs-fuse --enable-xattr)",
  });
}
