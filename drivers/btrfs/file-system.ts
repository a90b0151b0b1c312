import { statfsSync } from "node:fs";
import { TsimgError } from "../../src/sys/error.ts";

/** What statfs(2) calls btrfs. */
const BTRFS_MAGIC = 0x9123_683e;

/** Whether `path`, which exists, lies on btrfs. */
export function isBtrfs(path: string): boolean {
  return statfsSync(path).type === BTRFS_MAGIC;
}

/** @throws TsimgError ERR_DRIVER when `home`, which exists, isn't on btrfs */
export function requireBtrfs(home: string): void {
  if (isBtrfs(home)) return;
  throw new TsimgError("ERR_DRIVER", `'${home}' is not on btrfs`, {
    hint: "make a pool with 'tsimg pool create NAME --driver btrfs --size 20G', or choose another driver",
  });
}
