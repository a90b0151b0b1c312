import { mkdirSync, readdirSync, readFileSync, rmdirSync, statfsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode, tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { lockFile } from "../../src/sys/file-lock.ts";
import { cString, invoke } from "../../src/sys/libc.ts";
import {
  bringMount,
  inMountNamespaceOf,
  sharesMountNamespace,
} from "../../src/sys/mount-namespace.ts";
import { fuseDaemon } from "./fuse-daemon.ts";

const MS_BIND = 0x1000;
const MS_SHARED = 1 << 20;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const NULL = 0;

/**
 * The directory below which the zfs-fuse daemon mounts our datasets, each at its id.
 *
 * It is mounted on itself and shared. So a process with mounts of its own (MS_SLAVE) sees what
 * the daemon mounts there later on, and, what matters more, lets go of what the daemon unmounts:
 * a copy of a mount that is left anywhere keeps a dataset busy.
 */
export class FuseHome {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  mountPoint(name: string): string {
    return join(this.path, name);
  }

  /** What there are mount points for. */
  names(): readonly string[] {
    return tolerating(["ENOENT"], () => readdirSync(this.path)) ?? [];
  }

  /** Makes the mount point of `name`, and home a shared mount when it isn't one yet. */
  prepare(name: string): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    using _lock = lockFile(this.path);
    if (this.propagation() === undefined) this.share();
    tolerating(["EEXIST"], () => mkdirSync(this.mountPoint(name), { mode: 0o700 }));
  }

  /** Whether a file system is mounted at the mount point of `name`, and works. */
  isMounted(name: string): boolean {
    const point = this.mountPoint(name);
    try {
      const stat = tolerating(["ENOENT"], () => statSync(point));
      return stat !== undefined && stat.dev !== statSync(this.path).dev;
    } catch (error) {
      if (errorCode(error) !== "ENOTCONN") throw error;
      // Its daemon died: the mount is a corpse that a living daemon can't mount over.
      invoke("umount2", [cString(point), MNT_DETACH], { path: point });
      return false;
    }
  }

  /** Unmounts `name`, for the daemon and for all who see what it mounts. */
  unmount(name: string): void {
    const point = this.mountPoint(name);
    // zfs-fuse holds on to a dataset for ever that is unmounted before its first request.
    if (this.isMounted(name)) statfsSync(point);
    // EBUSY: somebody is in it, which whoever needs it gone will find out.
    const unmount = () =>
      tolerating(["EINVAL", "ENOENT", "EBUSY"], () =>
        invoke("umount2", [cString(point), UMOUNT_NOFOLLOW], { path: point }),
      );
    // Where its mounts only arrive, taking one away would do nothing but hide it here.
    if (this.propagation() === "slave") inMountNamespaceOf(fuseDaemon(), unmount);
    else unmount();
  }

  /** Removes the mount points of datasets that are gone; the last one takes home's mount along. */
  forget(names: readonly string[]): void {
    for (const name of names)
      tolerating(["ENOENT", "EBUSY", "ENOTEMPTY"], () => rmdirSync(this.mountPoint(name)));
    if (this.names().length > 0) return;
    using _lock = lockFile(this.path);
    const how = this.propagation();
    if (how === undefined || this.names().length > 0) return;
    const unmount = () =>
      tolerating(["EINVAL"], () => invoke("umount2", [cString(this.path), MNT_DETACH]));
    if (how === "slave") inMountNamespaceOf(fuseDaemon(), unmount);
    unmount();
  }

  /** @throws TsimgError ERR_DRIVER when what the daemon mounts can't be made visible here */
  private share(): void {
    const daemon = fuseDaemon();
    inMountNamespaceOf(daemon, () => {
      if (this.propagation() !== undefined) return;
      // Mounted when the daemon started. Below the new mount nobody would find them again.
      for (const point of this.mountsBelow())
        invoke("umount2", [cString(point), UMOUNT_NOFOLLOW], { path: point });
      const home = cString(this.path);
      invoke("mount", [home, home, NULL, MS_BIND, NULL], { path: this.path });
      invoke("mount", [NULL, home, NULL, MS_SHARED, NULL], { path: this.path });
    });
    if (!sharesMountNamespace(daemon) && this.propagation() === undefined)
      bringMount(daemon, this.path);
    if (this.propagation() !== undefined) return;
    throw new TsimgError(
      "ERR_DRIVER",
      `what zfs-fuse mounts in '${this.path}' is not visible to this process`,
      { hint: `run tsimg where the daemon runs: nsenter --mount=/proc/${daemon}/ns/mnt tsimg …` },
    );
  }

  /**
   * How home is mounted in this thread's namespace: undefined when it is no mount point, or one
   * that the daemon's mounts don't reach.
   * @see proc_pid_mountinfo(5), "optional fields"
   */
  private propagation(): "shared" | "slave" | undefined {
    const path = escaped(this.path);
    const line = mountLines().findLast((fields) => fields[4] === path);
    if (line?.some((field) => /^shared:\d+$/.test(field))) return "shared";
    return line?.some((field) => /^master:\d+$/.test(field)) ? "slave" : undefined;
  }

  private mountsBelow(): readonly string[] {
    const path = escaped(this.path);
    return mountLines()
      .map((fields) => fields[4] ?? "")
      .filter((point) => dirname(point) === path)
      .map((point) => this.mountPoint(basename(point)));
  }
}

/** A path as mountinfo writes it. */
function escaped(path: string): string {
  return path.replace(
    /[ \t\n\\]/g,
    (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

/** The fields of each mount, without those behind the dash. */
function mountLines(): readonly (readonly string[])[] {
  const text = readFileSync("/proc/thread-self/mountinfo", "utf8");
  return text.split("\n").map((line) => line.split(" - ")[0]?.split(" ") ?? []);
}
