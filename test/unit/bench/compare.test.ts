import { describe, expect, it } from "vitest";
import { comparePairs, type Rounds } from "../../../src/bench/statistics/compare.ts";
import { summarize } from "../../../src/bench/statistics/summary.ts";
import { noisyRounds } from "./support/noisy-rounds.ts";

/** How often a pair of drivers with these means is told apart, of so many benches. */
function toldApart(factor: number, noise: number, rounds: number, benches = 1000): number {
  let count = 0;
  for (let bench = 0; bench < benches; bench++) {
    const machine = noisyRounds({ seed: bench * 3 + 1, rounds, mean: 1, noise: 0.2 });
    const first = noisyRounds({ seed: bench * 3 + 2, rounds, mean: 1, noise });
    const second = noisyRounds({ seed: bench * 3 + 3, rounds, mean: factor, noise });
    if (comparePairs(times(first, machine), times(second, machine)).differs) count++;
  }
  return count / benches;
}

/** What the machine does in a round hits both. */
function times(rounds: Rounds, machine: Rounds): Rounds {
  return new Map(
    [...rounds].map(([round, values]) => [
      round,
      values.map((value) => value * (machine.get(round)?.[0] ?? 1)),
    ]),
  );
}

describe("comparing two drivers", () => {
  it.each([3, 5, 8, 20, 40])("equal ones are told apart hardly ever, with %i rounds", (rounds) => {
    expect(toldApart(1, 0.1, rounds)).toBeLessThan(0.02);
  });

  it("a difference of a fifth is found, whatever the machine does", () => {
    expect(toldApart(1.2, 0.05, 12)).toBeGreaterThan(0.95);
    expect(toldApart(1 / 1.2, 0.05, 12)).toBeGreaterThan(0.95);
  });

  it("a factor of three is found in three rounds", () => {
    expect(toldApart(3, 0.05, 3)).toBeGreaterThan(0.95);
  });

  it("what is significant and too small to matter is no difference", () => {
    expect(toldApart(1.02, 0.002, 40, 100)).toBe(0);
  });

  it("one round or two rank nobody, and rounds that only one ran in don't count", () => {
    const many = noisyRounds({ seed: 1, rounds: 20, mean: 1, noise: 0.01 });
    const two = new Map([...noisyRounds({ seed: 2, rounds: 2, mean: 5, noise: 0.01 })]);
    expect(comparePairs(many, two)).toMatchObject({ pairs: 2, test: "none", differs: false });
    expect(comparePairs(many, new Map())).toMatchObject({ pairs: 0, differs: false });
  });

  it("figures of zero are equal to each other and nothing else", () => {
    const zeros: Rounds = new Map(Array.from({ length: 10 }, (_, round) => [round, [0]]));
    const ones: Rounds = new Map(Array.from({ length: 10 }, (_, round) => [round, [1]]));
    expect(comparePairs(zeros, zeros)).toMatchObject({ ratio: 1, differs: false });
    expect(comparePairs(zeros, ones).differs).toBe(true);
  });
});

describe("a summary", () => {
  it("has the middle, the tail and the spread", () => {
    const summary = summarize([[1, 2, 3], [4], [100]]);
    expect(summary).toMatchObject({ rounds: 3, values: 5, median: 3, mad: 1, low: 2, high: 100 });
    expect(summary.noisy).toBe(true);
    expect(summarize([[2], [2]])).toMatchObject({ median: 2, p95: 2, mad: 0, noisy: false });
  });

  it("its interval holds the true median in 95 of 100 benches, from six rounds on", () => {
    for (const rounds of [6, 9, 17, 40]) {
      let held = 0;
      for (let seed = 1; seed <= 1000; seed++) {
        const values = [...noisyRounds({ seed, rounds, mean: 10, noise: 0.1 }).values()];
        const { low, high } = summarize(values);
        if (low <= 10 && 10 <= high) held++;
      }
      expect(held).toBeGreaterThanOrEqual(940);
    }
  });
});
