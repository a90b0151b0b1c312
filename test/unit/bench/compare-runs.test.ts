import { describe, expect, it } from "vitest";
import { compareRuns } from "../../../src/bench/compare/compare-runs.ts";
import { comparisonText } from "../../../src/bench/compare/comparison-text.ts";
import type { Measure } from "../../../src/bench/measure.ts";
import { DRIVERS, syntheticResults } from "./support/synthetic-results.ts";

/** Pairs of runs that are tried. */
const RUNS = 60;

/** What every figure truly is, but for one that is `factor` times as much. */
const planted = (factor: number) => (measure: Measure, driver: string) => {
  const usual = measure.unit === "bytes" ? 1e6 : 1e-3 * (1 + DRIVERS.indexOf(driver));
  const isIt = measure.name === "prepare a snapshot" && driver === "btrfs";
  return isIt ? usual * factor : usual;
};

const run = (seed: number, factor: number) =>
  syntheticResults({ seed, noise: 0.04, truth: planted(factor) });

describe("two runs compared", () => {
  it("are found to be the same when they are", () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const { changes, compared } = compareRuns(run(seed, 1), run(seed + RUNS, 1));
      expect(compared).toBe(66);
      expect(changes).toEqual([]);
    }
  });

  it("show the one figure that is a fifth worse, and nothing else", () => {
    let found = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const { changes } = compareRuns(run(seed, 1), run(seed + RUNS, 1.2));
      for (const { suite, measure, place, worse, ratio } of changes) {
        expect([suite, measure.name, place]).toEqual(["lifecycle", "prepare a snapshot", "btrfs"]);
        expect(worse).toBe(true);
        expect(ratio).toBeGreaterThan(1.1);
        expect(ratio).toBeLessThan(1.3);
        found++;
      }
    }
    expect(found).toBeGreaterThanOrEqual(RUNS * 0.95);
  });

  it("tell better from worse, where more is better, too", () => {
    const faster = (factor: number) => (measure: Measure, driver: string) =>
      measure.unit === "per second" && driver === "btrfs" ? factor : 1;
    const [slow, fast] = [1, 1.5].map((factor) => syntheticResults({ truth: faster(factor) }));
    if (slow === undefined || fast === undefined) throw new Error("no results");
    expect(new Set(compareRuns(slow, fast).changes.map(({ worse }) => worse))).toEqual(
      new Set([false]),
    );
    const text = comparisonText(compareRuns(fast, slow));
    expect(text).toMatch(
      /^worse {3}lifecycle, run --rm, throughput, 1 at once, \w+.*: 1\.5.*\/s -> /m,
    );
  });

  it("of different machines come with a warning, as does a drift of everything", () => {
    const other = run(2, 1);
    const moved = { ...other, machine: { ...other.machine, kernel: "7.0.0" } };
    expect(compareRuns(run(1, 1), moved).warnings).toEqual([
      "another kernel: 6.18.0 then, 7.0.0 now",
      "another seed: 1 then, 2 now",
    ]);
    const slower = syntheticResults({
      truth: (measure, driver) => planted(1)(measure, driver) * 1.3,
    });
    expect(compareRuns(run(1, 1), slower).warnings.join()).toMatch(
      /all of copyup moved by \+(2[5-9]|3[0-5]) %/,
    );
    expect(comparisonText(compareRuns(run(1, 1), other))).toMatch(
      /^warning: .*\nnothing has changed\n66 figures compared, which moved by [12] %/,
    );
  });
});
