import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../../app.ts";
import { removeContainer } from "../../runtime/container/remove-container.ts";
import { mountPointsBelow } from "../../storage/file-system.ts";
import { PoolManager } from "../../storage/pool/pool-manager.ts";
import type { Database } from "../../store/database.ts";
import { TsimgError } from "../../sys/error.ts";
import { onHost } from "../../sys/host-namespace.ts";
import { runProgram } from "../../sys/run-program.ts";
import { clearGivenPools } from "./given-pools.ts";

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
  clearGivenPools(app);
  forgetAll(database);
  const pools = new PoolManager(database, paths);
  for (const { directory, kind } of pools.rows.all()) if (kind !== "zfs") unmountBelow(directory);
  await removeAll(pools);
}

/** Layers of erofs are mounted where they lie. */
function unmountBelow(directory: string): void {
  for (const point of mountPointsBelow(directory))
    if (point !== directory) runProgram(onHost(["umount", "--lazy", point]));
}

function forgetAll(database: Database): void {
  database.transaction(() => {
    database.run("delete from containers");
    database.run("delete from image_mounts");
    database.run("update snapshots set parent = null");
    database.run("delete from snapshots");
    // As if a process had died at removing them: that is undone without a look inside.
    database.run("update pools set state = 'removing', owner = null");
  });
}

/** The kernel lets go of mounts a moment after the last process that used them has ended. */
async function removeAll(pools: PoolManager): Promise<void> {
  for (const start = performance.now(); ; await sleep(100)) {
    const failures = [...pools.tryRecover()];
    if (failures.length === 0) return;
    if (performance.now() - start < PATIENCE) continue;
    const reasons = failures.map(([name, reason]) => `${name}: ${reason}`).join("; ");
    throw new TsimgError("ERR_IN_USE", `the bench's pools can't be removed: ${reasons}`, {
      hint: "the next bench tries again",
    });
  }
}
