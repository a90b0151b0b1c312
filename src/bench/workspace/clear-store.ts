import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../../app.ts";
import { removeContainer } from "../../runtime/container/remove-container.ts";
import { PoolManager } from "../../storage/pool/pool-manager.ts";
import type { Database } from "../../store/database.ts";
import { TsimgError } from "../../sys/error.ts";

/** How long what held a pool may take to end, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Ends a store of which nothing is to be kept: its containers are killed, its pools go whole,
 * without a look at what is in them.
 *
 * @throws what keeps a pool from going
 */
export async function clearStore(app: App): Promise<void> {
  const { containers, database, paths } = app;
  const never = new AbortController().signal;
  for (const { row } of containers.list())
    await removeContainer(containers, row.id, true, never).catch(() => {});
  forgetAll(database);
  const pools = new PoolManager(database, paths);
  pools.recover();
  for (const { name } of pools.rows.all()) await removePatiently(() => pools.remove(name));
}

function forgetAll(database: Database): void {
  database.transaction(() => {
    database.run("delete from containers");
    database.run("delete from image_mounts");
    database.run("update snapshots set parent = null");
    database.run("delete from snapshots");
  });
}

/** The kernel lets go of mounts a moment after the last process that used them has ended. */
async function removePatiently(remove: () => void): Promise<void> {
  for (const start = performance.now(); ; await sleep(100))
    try {
      remove();
      return;
    } catch (error) {
      const busy = error instanceof TsimgError && error.code === "ERR_IN_USE";
      if (!busy || performance.now() - start > PATIENCE) throw error;
    }
}
