import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync } from "node:fs";
import type { SnapshotId } from "../../../drivers/driver.ts";
import type { Measure } from "../measure.ts";
import { Chain } from "../place/chain.ts";
import { inDirectory } from "../place/in-directory.ts";
import { openTree } from "../place/open-tree.ts";
import type { Place } from "../place/place.ts";
import type { Recorder, Session, SetUp, Suite } from "../suite.ts";

/** In the lowest layer, below a directory that every layer has. */
const FILES = 100;
const LOWEST = "shared/lowest";
/** Stacks that take longer to make, in milliseconds, are made once and not in every round. */
const MOST_REBUILD = 2000;
/** Passes over all files in one round, when caches are warm. */
const PASSES = 5;

const name = (number: number) => `${LOWEST}/file-${number}`;
const NAMES = Array.from({ length: FILES }, (_, number) => name(number));
const MISSING = Array.from({ length: FILES }, (_, number) => `shared/missing-${number}`);

/** Finding what the lowest of many layers holds. */
export const depth: Suite = {
  name: "depth",
  question: "What does it cost that an image has many layers?",
  method:
    "A path in the lowest of N layers, each of which adds a file to the directory above it, is looked up in a read-only mount of the stack. Cold: the first time after the machine's caches were dropped and the stack was mounted anew. Warm: the mean of 500 look-ups. The stack is made anew for every round, unless that takes more than 2 s.",
  source: "overlayfs.rst: a name is looked for in one layer after the other",
  weight: 12,
  warmsUp: true,
  usual: true,
  open: openDepth,
};

function openDepth({ place, workload, late, note }: SetUp): Session {
  const chain = new Chain(place);
  const start = performance.now();
  try {
    build(chain, Math.max(...workload.layers), late);
  } catch (error) {
    chain[Symbol.dispose]();
    throw error;
  }
  const rebuilds = performance.now() - start < MOST_REBUILD;
  const built = chain.ids.length;
  const depths = workload.layers.filter((layers) => layers <= built);
  if (depths.length < workload.layers.length)
    note(`more than ${built} layers: no time to set them up`);
  return {
    round(recorder) {
      for (const layers of depths) lookAt(place, chain.ids.slice(-layers), recorder);
      if (!rebuilds) return;
      // Where on the disk layers lie makes a difference when caches are cold: it shall not be
      // the same in every round.
      chain[Symbol.dispose]();
      build(chain, built, () => false);
    },
    async [Symbol.asyncDispose]() {
      chain[Symbol.dispose]();
    },
  };
}

function build(chain: Chain, layers: number, late: () => boolean): void {
  chain.add((root) => {
    mkdirSync(`${root}/${LOWEST}`, { recursive: true });
    for (const path of NAMES) writeFileSync(`${root}/${path}`, path);
  });
  while (chain.ids.length < layers && !late()) {
    const number = chain.ids.length + 1;
    chain.add((root) => {
      mkdirSync(`${root}/shared`, { recursive: true });
      writeFileSync(`${root}/shared/layer-${number}`, "");
    });
  }
}

/** @param ids of the stack, nearest first */
function lookAt(place: Place, ids: readonly SnapshotId[], recorder: Recorder): void {
  const measure = (what: string): Measure => ({
    name: what,
    parameter: { axis: "layers", value: ids.length, unit: "count" },
    unit: "seconds",
    better: "less",
  });
  const [top, ...parents] = ids;
  if (top === undefined) return;
  const mounted = <T>(action: () => T): T => {
    using tree = openTree(place, top, parents, "ro");
    return inDirectory(`${tree.path}/.`, action);
  };
  place.chill();
  mounted(() => {
    recorder.time(measure("stat, cold"), () => statSync(name(0)));
    recorder.time(measure("open, cold"), () => closeSync(openSync(name(1), "r")));
  });
  place.chill();
  mounted(() => recorder.time(measure("readdir, cold"), () => readdirSync("shared")));
  mounted(() => {
    for (const path of NAMES) statSync(path);
    const each = (what: string, count: number, action: () => void) => {
      const start = process.hrtime.bigint();
      for (let pass = 0; pass < PASSES; pass++) action();
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      recorder.record(measure(what), seconds / (PASSES * count));
    };
    each("stat, warm", FILES, () => {
      for (const path of NAMES) statSync(path);
    });
    each("open, warm", FILES, () => {
      for (const path of NAMES) closeSync(openSync(path, "r"));
    });
    each("readdir, warm", 1, () => readdirSync("shared"));
    each("stat of a missing name", FILES, () => {
      for (const path of MISSING) statSync(path, { throwIfNoEntry: false });
    });
  });
}
