import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import type { Volume } from "./volume.ts";
import type { VolumeStore } from "./volume-store.ts";

/** Bytes in one block of a stat. */
const BLOCK = 512;

export interface Pruned {
  readonly removed: readonly string[];
  /** What their files took on the disk. */
  readonly bytes: number;
}

/** Removes the volumes that no container uses and that are wanted. */
export function pruneVolumes(store: VolumeStore, isWanted: (volume: Volume) => boolean): Pruned {
  const removed: string[] = [];
  let bytes = 0;
  for (const volume of store.list()) {
    const { name } = volume;
    if (!isWanted(volume) || store.users(name).length > 0) continue;
    const size = diskBytes(store.dataDirectory(name));
    try {
      store.remove(name);
    } catch (error) {
      // A container has taken it, or another command removed it meanwhile.
      const codes = ["ERR_IN_USE", "ERR_NO_SUCH_VOLUME"];
      if (error instanceof TsimgError && codes.includes(error.code)) continue;
      throw error;
    }
    removed.push(name);
    bytes += size;
  }
  return { removed, bytes };
}

function diskBytes(directory: string): number {
  const names = tolerating(["ENOENT", "ENAMETOOLONG"], () => readdirSync(directory)) ?? [];
  return names.reduce((sum, name) => {
    const path = join(directory, name);
    const stat = tolerating(["ENOENT", "ENAMETOOLONG"], () => lstatSync(path));
    if (stat === undefined) return sum;
    return sum + stat.blocks * BLOCK + (stat.isDirectory() ? diskBytes(path) : 0);
  }, 0);
}
