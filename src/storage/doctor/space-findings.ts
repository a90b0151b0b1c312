import { statfsSync } from "node:fs";
import { nearestExisting } from "../file-system.ts";
import type { Pool } from "../pool/pool.ts";
import { keeperOf, PoolManager } from "../pool/pool-manager.ts";
import type { StorageContext } from "../storage-context.ts";
import { type Finding, reasonOf } from "./finding.ts";

/** With less than this share left, it is time to think about it. */
const SCARCE = 0.05;

interface Space {
  /** Bytes. */
  readonly size: number;
  readonly free: number;
  readonly inodes?: { readonly size: number; readonly free: number };
}

/** Free space and free inodes of the root and of each pool that is attached. */
export function spaceFindings({ database, paths }: StorageContext): readonly Finding[] {
  const pools = new PoolManager(database, paths).rows.all();
  return [rootFinding(paths.root), ...pools.flatMap((pool) => poolFinding(pool))];
}

function rootFinding(root: string): Finding {
  const facts = statfsSync(nearestExisting(root));
  return describe("root", {
    size: facts.blocks * facts.bsize,
    free: facts.bavail * facts.bsize,
    ...(facts.files > 0 && { inodes: { size: facts.files, free: facts.ffree } }),
  });
}

function poolFinding(pool: Pool): readonly Finding[] {
  const keeper = keeperOf(pool.kind);
  try {
    if (pool.state !== "ready" || !keeper.isAttached(pool)) return [];
    const { size, used, inodes } = keeper.usage(pool);
    return [
      describe(`pool ${pool.name}`, {
        size,
        free: size - used,
        ...(inodes !== undefined && {
          inodes: { size: inodes.size, free: inodes.size - inodes.used },
        }),
      }),
    ];
  } catch (error) {
    const detail = `can't be asked: ${reasonOf(error)}`;
    return [{ area: "space", name: `pool ${pool.name}`, state: "note", detail }];
  }
}

function describe(name: string, { size, free, inodes }: Space): Finding {
  const bytes = `${gigabytes(free)} of ${gigabytes(size)} free`;
  const count =
    inodes === undefined ? "inodes without limit" : `${inodes.free} of ${inodes.size} inodes`;
  const fewBytes = free < size * SCARCE;
  const fewInodes = inodes !== undefined && inodes.free < inodes.size * SCARCE;
  return {
    area: "space",
    name,
    state: fewBytes || fewInodes ? "note" : "ok",
    detail: `${bytes}, ${count}`,
    ...((fewBytes || fewInodes) && {
      cure: `${fewBytes ? "little space" : "few inodes"} left: tsimg rmi, tsimg rm, or a larger file system`,
    }),
  };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
