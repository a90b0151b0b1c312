import { cString, invoke } from "./libc.ts";
import type { MountSpec } from "./mount-spec.ts";
import { detach, performMounts } from "./perform-mounts.ts";

const CLONE_NEWNS = 0x0002_0000;
const MS_REC = 0x4000;
const MS_SLAVE = 1 << 19;
const NULL = 0;

let isolated = false;

/**
 * Gives this thread a mount namespace of its own: what it mounts from now on is seen by
 * nobody else and vanishes with the process, however it ends.
 *
 * Only synchronous calls on this thread see these mounts; the asynchronous calls of
 * `node:fs` run on other threads, which stay in the old namespace.
 * @see unshare(2), mount_namespaces(7)
 */
export function enterPrivateMountNamespace(): void {
  if (isolated) return;
  invoke("unshare", [CLONE_NEWNS]);
  // Not MS_PRIVATE: what a daemon mounts or unmounts in a shared place, zfs-fuse say, is to be
  // mounted and unmounted here too. A copy left here would keep its file system busy.
  invoke("mount", [cString("none"), cString("/"), NULL, MS_REC | MS_SLAVE, NULL], { path: "/" });
  isolated = true;
}

/**
 * Mounts `specs` in order on `target` in a mount namespace of this thread's own. Disposing
 * takes them off again.
 */
export function mountPrivately(
  specs: readonly MountSpec[],
  target: string,
  mode: "ro" | "rw" = "ro",
): Disposable {
  enterPrivateMountNamespace();
  performMounts(specs, target, mode);
  return { [Symbol.dispose]: () => detach(target, specs.length) };
}
