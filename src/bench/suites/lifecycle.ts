import type { SnapshotId } from "../../../drivers/driver.ts";
import type { Measure, Parameter } from "../measure.ts";
import { Chain } from "../place/chain.ts";
import { openTree } from "../place/open-tree.ts";
import type { Place } from "../place/place.ts";
import type { Stage } from "../stage/stage.ts";
import type { Recorder, Session, SetUp, Suite } from "../suite.ts";

const duration = (name: string, parameter?: Parameter): Measure => ({
  name,
  ...(parameter !== undefined && { parameter }),
  unit: "seconds",
  better: "less",
});
const tailed = (name: string, parameter: Parameter): Measure => ({
  ...duration(name, parameter),
  tail: true,
});
const APPLY = duration("unpack 2,000 files");
const PREPARE = duration("prepare a snapshot");
const MOUNT = duration("mount it");
const DESTROY = duration("destroy it");
const START = duration("run -d");
const STOP = duration("stop");
const REMOVE = duration("rm");

/** A container stops at once when it is asked to: sleep alone, being process 1, would not. */
const STOPS_AT_ONCE = "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done";
/** Prepare, mount, destroy: so often a round. */
const REPEATS = 10;
/** For trying how many snapshots can be made, in milliseconds. */
const MOST_SET_UP = 4000;
/** Snapshots that are there already when one more is made. */
const EXISTING = [0, 10, 100, 1000];

/** The life of a container from its image to its end. */
export const lifecycle: Suite = {
  name: "lifecycle",
  question: "How long does a container take to come and go?",
  method:
    "Unpacking a layer, and preparing, mounting and destroying a snapshot are timed inside tsimg; run, stop and rm are whole commands on a small image (or the one of --image), from the start of the process. First output is the first byte that the container prints. At once: so many commands are started together. With N snapshots: one more is made when there are that many.",
  source:
    "the phases of a container's start in HelloBench (FAST '16) and in containerd's stress tool",
  weight: 22,
  warmsUp: true,
  usual: true,
  open: openLifecycle,
};

async function openLifecycle({ place, stage, workload, late, note }: SetUp): Promise<Session> {
  const name = await stage.pull("programs", place);
  const layer = await stage.pull("files", place);
  stage.remove(layer, place);
  const tiny = new Chain(place);
  tiny.add(() => {});
  const most = howMany(place, tiny.ids, late);
  if (most < Math.max(...EXISTING)) note(`more than ${most} snapshots: no time for them`);
  return {
    async round(recorder) {
      await applyLayer(stage, place, layer, recorder);
      // What was removed a moment ago is still being cleared away by some file systems.
      await place.settle();
      manySnapshots(place, stage.layers(name, place), recorder);
      await commands(stage, place, name, recorder);
      for (const count of workload.parallel) await atOnce(stage, place, name, count, recorder);
      await place.settle();
      growth(place, tiny.ids, most, recorder);
    },
    async [Symbol.asyncDispose]() {
      tiny[Symbol.dispose]();
      stage.remove(name, place);
    },
  };
}

async function applyLayer(stage: Stage, place: Place, name: string, recorder: Recorder) {
  const start = performance.now();
  await stage.unpack(name, place);
  recorder.record(APPLY, (performance.now() - start) / 1000);
  stage.remove(name, place);
}

function manySnapshots(place: Place, parents: readonly SnapshotId[], recorder: Recorder): void {
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const id = place.nextId();
    recorder.time(PREPARE, () => place.driver.create(id, parents));
    const tree = recorder.time(MOUNT, () => openTree(place, id, parents, "rw"));
    tree[Symbol.dispose]();
    recorder.time(DESTROY, () => place.driver.destroy([id]));
  }
}

async function commands(stage: Stage, place: Place, image: string, recorder: Recorder) {
  const flags = ["--network", "none", "--driver", place.driverName];
  const task = stage.task("sh", "-c", STOPS_AT_ONCE);
  const started = await stage.tsimg(["run", "-d", ...flags, image, ...task]);
  recorder.record(START, started.duration);
  const id = started.stdout.trim();
  recorder.record(STOP, (await stage.tsimg(["stop", id])).duration);
  recorder.record(REMOVE, (await stage.tsimg(["rm", id])).duration);
}

async function atOnce(
  stage: Stage,
  place: Place,
  image: string,
  count: number,
  recorder: Recorder,
): Promise<void> {
  const parameter = { axis: "at once", value: count, unit: "count" } as const;
  const flags = ["--rm", "--network", "none", "--driver", place.driverName];
  const start = performance.now();
  const runs = await Promise.all(
    Array.from({ length: count }, () =>
      stage.tsimg(["run", ...flags, image, ...stage.task("echo", "ready")]),
    ),
  );
  const seconds = (performance.now() - start) / 1000;
  const first = runs.flatMap(({ firstOutput }) => firstOutput ?? []);
  if (first.length > 0) recorder.record(tailed("run --rm, first output", parameter), ...first);
  recorder.record(tailed("run --rm, whole", parameter), ...runs.map((run) => run.duration));
  recorder.record(
    { name: "run --rm, throughput", parameter, unit: "per second", better: "more" },
    count / seconds,
  );
}

/** Makes snapshots up to `most`, timing one more at each number that is looked at. */
function growth(
  place: Place,
  parents: readonly SnapshotId[],
  most: number,
  recorder: Recorder,
): void {
  const made: SnapshotId[] = [];
  try {
    for (const existing of EXISTING.filter((count) => count <= most)) {
      while (made.length < existing) made.push(addSnapshot(place, parents));
      const parameter = { axis: "snapshots", value: existing, unit: "count" } as const;
      const id = place.nextId();
      recorder.time(duration("prepare one more", parameter), () =>
        place.driver.create(id, parents),
      );
      recorder.time(duration("destroy it again", parameter), () => place.driver.destroy([id]));
    }
  } finally {
    place.driver.destroy(made);
  }
}

function addSnapshot(place: Place, parents: readonly SnapshotId[]): SnapshotId {
  const id = place.nextId();
  place.driver.create(id, parents);
  return id;
}

/** The most existing snapshots that can be made again and again in the time there is. */
function howMany(place: Place, parents: readonly SnapshotId[], late: () => boolean): number {
  const made: SnapshotId[] = [];
  const most = Math.max(...EXISTING);
  const start = performance.now();
  while (made.length < most && !late() && performance.now() - start < MOST_SET_UP)
    made.push(addSnapshot(place, parents));
  place.driver.destroy(made);
  return EXISTING.findLast((count) => count <= Math.max(10, made.length)) ?? 0;
}
