import { existsSync, statSync } from "node:fs";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { TsimgError } from "../../sys/error.ts";
import type { Pool } from "./pool.ts";
import { keeperOf, PoolManager } from "./pool-manager.ts";

export interface PoolStatus {
  readonly pool: Pool;
  /** `attached`, `detached`, `creating`, `removing`, or what is wrong. */
  readonly status: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes: of what is inside when it is attached, else what its file takes. */
  readonly used: number;
  readonly snapshots: number;
}

/** How every pool fares. What dead processes left of others is undone before. */
export function listPools(database: Database, paths: StorePaths): readonly PoolStatus[] {
  const manager = new PoolManager(database, paths);
  const failures = manager.tryRecover();
  return manager.rows.all().map((pool) => {
    const failed = failures.get(pool.name);
    const snapshots = manager.users(pool.name).snapshots;
    return { pool, snapshots, ...statusOf(pool, failed) };
  });
}

function statusOf(
  pool: Pool,
  failed: string | undefined,
): Pick<PoolStatus, "status" | "size" | "used"> {
  const keeper = keeperOf(pool.kind);
  const taken = bytesOf(Object.keys(keeper.files(pool)));
  if (pool.state !== "ready")
    return { status: failed ?? pool.state, size: pool.size, used: taken ?? 0 };
  if (taken === undefined) return { status: "its file is gone", size: pool.size, used: 0 };
  try {
    if (!keeper.isAttached(pool)) return { status: "detached", size: pool.size, used: taken };
    return { status: "attached", ...keeper.usage(pool) };
  } catch (error) {
    if (!(error instanceof TsimgError)) throw error;
    return { status: error.message, size: pool.size, used: taken };
  }
}

/** What files take on the disk, holes left out; undefined when one isn't there. */
function bytesOf(files: readonly string[]): number | undefined {
  if (!files.every((file) => existsSync(file))) return undefined;
  return files.reduce((sum, file) => sum + statSync(file).blocks * 512, 0);
}
