import type { BenchEvent } from "../../../../src/bench/engine/event.ts";
import type { Measure } from "../../../../src/bench/measure.ts";
import { ResultsMaker } from "../../../../src/bench/results/make-results.ts";
import type { Results } from "../../../../src/bench/results/results.ts";
import { SUITES } from "../../../../src/bench/suites/suites.ts";
import { noisyRounds } from "./noisy-rounds.ts";

export const DRIVERS = ["overlay2", "erofs", "btrfs", "zfs (FUSE)", "reflink", "vfs"];

export interface Synthetic {
  readonly seed?: number;
  readonly drivers?: readonly string[];
  readonly rounds?: number;
  readonly noise?: number;
  /** What a measure takes on a driver, in its unit; undefined where there is no figure. */
  readonly truth?: (measure: Measure, driver: string) => number | undefined;
}

const MEASURES: Readonly<Record<string, readonly Measure[]>> = {
  lifecycle: [
    { name: "prepare a snapshot", unit: "seconds", better: "less" },
    ...[1, 10].map(
      (value): Measure => ({
        name: "run --rm, throughput",
        parameter: { axis: "at once", value, unit: "count" },
        unit: "per second",
        better: "more",
      }),
    ),
  ],
  copyup: [4096, 1 << 20, 2 ** 30].flatMap((value) =>
    ["append 1 B, first", "append 1 B, second"].map(
      (name): Measure => ({
        name,
        parameter: { axis: "file size", value, unit: "bytes" },
        unit: "seconds",
        better: "less",
      }),
    ),
  ),
  density: [
    { name: "the image on disk", unit: "bytes", better: "less" },
    { name: "disk per container", unit: "bytes", better: "less" },
  ],
};

/** Results as a bench makes them, of made-up figures. */
export function syntheticResults(options: Synthetic = {}): Results {
  const { seed = 1, drivers = DRIVERS, rounds = 12, noise = 0.03 } = options;
  const truth = options.truth ?? usual;
  const maker = new ResultsMaker(
    "0.0.0",
    {
      root: "/nowhere",
      suites: Object.keys(MEASURES),
      wishes: [],
      strict: false,
      workload: { seed, cache: "warm", layers: [1], parallel: [1, 10], image: undefined },
      budget: 600_000,
      runs: undefined,
    },
    SUITES,
  );
  maker.add({
    kind: "ready",
    machine: {
      kernel: "6.18.0",
      processors: "2 × Some Processor",
      memory: 2 ** 34,
      fileSystem: "ext4",
      mountOptions: "rw,relatime",
      device: "/dev/vda",
      loadBefore: 0.1,
      versions: { node: "v26.0.0" },
    },
    places: drivers.map((name) => ({
      name,
      backing: { fileSystem: "ext4", mountOptions: "rw", device: "a file" },
      notes: [],
    })),
    absent: [{ driver: "devicemapper", reason: "no <such> device & no module" }],
  });
  let number = seed * 1000;
  for (const [suite, measures] of Object.entries(MEASURES))
    for (const measure of measures)
      for (const driver of drivers) {
        number += 1;
        const mean = truth(measure, driver);
        if (mean === undefined) continue;
        for (const event of events(suite, measure, driver, mean)) maker.add(event);
      }
  maker.add({ kind: "note", suite: "copyup", place: "vfs", text: "a note", out: false });
  maker.add({ kind: "ended", load: 1, complete: true });
  return maker.make();

  function events(suite: string, measure: Measure, place: string, mean: number): BenchEvent[] {
    return [...noisyRounds({ seed: number, rounds, mean, noise, perRound: 3 })].map(
      ([round, values]) => ({
        kind: "sample",
        suite,
        measure,
        sample: { place, round, values },
      }),
    );
  }
}

/** Every driver takes a tenth more than the one before it. */
function usual({ unit, parameter }: Measure, driver: string): number {
  const base = unit === "bytes" ? 1e6 : 1e-3 * Math.sqrt(parameter?.value ?? 1);
  return base * (1 + 0.3 * Math.max(0, DRIVERS.indexOf(driver)));
}
