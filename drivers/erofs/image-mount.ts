import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { ErrnoError, tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { kernelIsAtLeast } from "../../src/sys/kernel.ts";
import { openLoopDevice } from "../../src/sys/loop-device.ts";
import { detach, performMounts } from "../../src/sys/perform-mounts.ts";

// Node has no names for some of these.
const ENOTBLK = 15;
const DAMAGE: Readonly<Record<number, string>> = {
  5: "EIO",
  22: "EINVAL",
  74: "EBADMSG",
  95: "EOPNOTSUPP",
  117: "EUCLEAN",
};

/**
 * Mounts an image on `target` for everybody: read-only, without devices and set-user-ID
 * programs, which show only through a container's overlay.
 *
 * Linux 6.12 and newer mount the file itself, unless it lies on a file system that can't have
 * that, such as tmpfs. Else it gets a loop device, which goes when it is unmounted.
 * @param through "file" or "loop" to try only that
 */
export function mountImage(image: string, target: string, through?: "file" | "loop"): void {
  try {
    // A kernel that can't complains in its log when it is asked.
    const asFile = through === undefined ? kernelIsAtLeast(6, 12) : through === "file";
    if (!asFile || !mountFile(image, target, through === undefined)) mountLoop(image, target);
  } catch (error) {
    throw explained(error, image);
  }
}

/** Takes everything off that is mounted on `target`, even while it is in use. */
export function unmountImage(target: string): void {
  while (isMounted(target)) detach(target, 1);
}

/** Whether something is mounted on `target`, by the device that it is on. */
export function isMounted(target: string): boolean {
  const look = (path: string) => tolerating(["ENOENT", "ENOTDIR"], () => lstatSync(path).dev);
  const inside = look(target);
  return inside !== undefined && inside !== look(dirname(target));
}

function mountFile(image: string, target: string, mayFail: boolean): boolean {
  try {
    const file = { type: "erofs", source: image, options: [], api: "fsconfig" } as const;
    performMounts([file], target, "guarded");
    return true;
  } catch (error) {
    if (mayFail && error instanceof ErrnoError && error.errno === ENOTBLK) return false;
    throw error;
  }
}

function mountLoop(image: string, target: string): void {
  using loop = openLoopDevice(image);
  const device = { type: "erofs", source: loop.path, options: [], api: "mount" } as const;
  performMounts([device], target, "guarded");
}

function explained(error: unknown, image: string): unknown {
  if (!(error instanceof ErrnoError)) return error;
  const cause = { cause: error };
  if (error.code === "ENODEV")
    return new TsimgError("ERR_DRIVER", "the kernel has no EROFS", {
      ...cause,
      hint: "load its module (modprobe erofs), or use another driver",
    });
  const damage = DAMAGE[error.errno];
  if (damage === undefined) return error;
  return new TsimgError("ERR_DRIVER", `image '${image}' can't be mounted: ${damage}`, {
    ...cause,
    hint: "it is damaged, the kernel's log says how: remove the image and pull it again",
  });
}
