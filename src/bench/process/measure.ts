import { statfsSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { TsimgError } from "../../sys/error.ts";
import { runSuites } from "../engine/run-suites.ts";
import { currentLoad, describeMachine } from "../machine.ts";
import type { Place } from "../place/place.ts";
import { givenPoolPlace, makePoolPlace } from "../place/pool-place.ts";
import type { AbsentDriver } from "../results/results.ts";
import { Stage } from "../stage/stage.ts";
import { openUserImage } from "../stage/user-image.ts";
import { suitesNamed } from "../suites/suites.ts";
import { prepareGivenPools } from "../workspace/given-pools.ts";
import { openWorkspace, type Workspace } from "../workspace/workspace.ts";
import { startOwnDaemon } from "../workspace/zfs-daemon.ts";
import type { BenchRequest, FromBench } from "./request.ts";

const GiB = 2 ** 30;
/** Of each pool's file, which is sparse: as much as the machine has, up to this. */
const MOST_POOL = 16 * GiB;
/** What the biggest workload takes. */
const LEAST_POOL = 6 * GiB;

/**
 * One bench from its first pool to its last. Nothing of it is left when this has answered,
 * however it answers.
 */
export async function measure(
  request: BenchRequest,
  signal: AbortSignal,
  tell: (message: FromBench) => void,
): Promise<void> {
  const machine = describeMachine(request.root);
  const end = performance.now() + request.budget;
  await using workspace = await openWorkspace(request.root);
  const { seed, image } = request.workload;
  await using own = image === undefined ? undefined : await openUserImage(request.root, image);
  await using stage = new Stage(workspace, seed, signal, own);
  const { places, absent } = await makePlaces(workspace, request, signal, tell);
  const records = places.map(({ name, backing, notes }) => ({ name, backing, notes }));
  tell({ kind: "ready", machine, places: records, absent });
  const complete = await interruptible(signal, () =>
    runSuites(suitesNamed(request.suites), places, {
      workload: request.workload,
      stage,
      budget: end - performance.now(),
      runs: request.runs,
      signal,
      onEvent: tell,
    }),
  );
  tell({ kind: "ended", load: currentLoad(), complete });
}

async function makePlaces(
  { app, directory }: Workspace,
  { root, wishes, strict, workload }: BenchRequest,
  signal: AbortSignal,
  tell: (message: FromBench) => void,
): Promise<{ places: readonly Place[]; absent: readonly AbsentDriver[] }> {
  const size = poolSize(directory);
  const given = prepareGivenPools(directory, root, wishes);
  const places: Place[] = [];
  const absent: AbsentDriver[] = [];
  for (const wish of wishes) {
    tell({ kind: "making", driver: wish.kind });
    await setImmediate();
    signal.throwIfAborted();
    try {
      if (wish.kind === "zfs") startOwnDaemon(directory);
      const pool = given.get(wish);
      places.push(
        pool === undefined
          ? makePoolPlace(app, wish, size, workload.seed)
          : givenPoolPlace(app, wish, pool, workload.seed),
      );
    } catch (error) {
      if (strict || !(error instanceof TsimgError)) throw error;
      absent.push({ driver: wish.kind, reason: error.message });
    }
  }
  return { places, absent };
}

/** @throws TsimgError ERR_NO_SPACE */
function poolSize(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  if (free * 0.9 >= LEAST_POOL) return Math.min(MOST_POOL, Math.floor((free * 0.9) / GiB) * GiB);
  throw new TsimgError("ERR_NO_SPACE", `'${directory}' has too little space for a bench`, {
    hint: `it takes ${LEAST_POOL / GiB} GiB: free some, or name another store with --root`,
  });
}

/** @returns whether it ran to its end */
async function interruptible(signal: AbortSignal, run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
