import { readdirSync, readFileSync, statSync } from "node:fs";
import { tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { ZFS_FUSE_SOCKET } from "./implementation.ts";

/** Errors of /proc for a process that has ended or is not ours to look at. */
const GONE = ["ENOENT", "ESRCH", "EACCES", "EPERM"];

/**
 * The process id of the zfs-fuse that our `zfs` command speaks to: the one that has the same
 * socket at the same path.
 * @throws TsimgError ERR_DRIVER when there is none to be seen
 */
export function fuseDaemon(): number {
  const ours = tolerating(["ENOENT"], () => statSync(ZFS_FUSE_SOCKET));
  const found = readdirSync("/proc").find((pid) => {
    if (!/^[0-9]+$/.test(pid)) return false;
    const name = tolerating(GONE, () => readFileSync(`/proc/${pid}/comm`, "latin1"));
    if (name?.trim() !== "zfs-fuse" || ours === undefined) return false;
    const theirs = tolerating(GONE, () => statSync(`/proc/${pid}/root${ZFS_FUSE_SOCKET}`));
    return theirs?.ino === ours.ino && theirs.dev === ours.dev;
  });
  if (found !== undefined) return Number(found);
  throw new TsimgError("ERR_DRIVER", "the zfs-fuse daemon is not among the processes seen here", {
    hint: "start it (zfs-fuse --enable-xattr), or run tsimg in the process namespace that it runs in",
  });
}
