import { statfsSync } from "node:fs";
import { syncBtrfs } from "../../src/sys/btrfs-ioctl.ts";
import { ROOT_TREE, searchTree } from "../../src/sys/btrfs-tree.ts";
import type { OpenDirectory } from "../../src/sys/open-directory.ts";

const ROOT_ITEM = 132;
/** With less than this part of the space free, it is waited for. */
const SCARCE = 0.1;
/** Between two looks, and in all, in ms. */
const PAUSE = 20;
const PATIENCE = 60_000;

/**
 * Where space is scarce: waits until that of deleted subvolumes is free. By itself the kernel
 * begins to free it up to half a minute later, too late for who removes to have some.
 */
export function reclaimWhenScarce(home: OpenDirectory, deleted: readonly number[]): void {
  const { bavail, blocks } = statfsSync(home.path);
  if (bavail > blocks * SCARCE) return;
  const until = Date.now() + PATIENCE;
  do {
    // Each sync wakes the kernel's cleaner, which may first have to let go of what was open.
    syncBtrfs(home);
    if (!deleted.some((subvolume) => isThere(home, subvolume))) break;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
  } while (Date.now() < until);
  // What was freed can be used when the transaction that freed it is on the disk.
  syncBtrfs(home);
}

function isThere(home: OpenDirectory, subvolume: number): boolean {
  const range = { tree: ROOT_TREE, objectId: subvolume, type: ROOT_ITEM };
  return !searchTree(home, range).next().done;
}
