import fc from "fast-check";
import { expect, it } from "vitest";
import { MOST_ROUNDS, planRounds } from "../../../src/bench/engine/plan-rounds.ts";

const costs = fc.array(fc.double({ min: 0.01, max: 1000, noNaN: true }), {
  minLength: 1,
  maxLength: 8,
});
const time = fc.double({ min: 0, max: 10_000, noNaN: true });

const times = (rounds: number, stride: number) => (stride === 0 ? 0 : Math.ceil(rounds / stride));

it("rounds fit into the time, and nobody has more than the most", () => {
  fc.assert(
    fc.property(costs, time, (each, all) => {
      const { rounds, strides } = planRounds(each, all);
      const spent = each.reduce((sum, cost, at) => sum + cost * times(rounds, strides[at] ?? 0), 0);
      expect(spent).toBeLessThanOrEqual(all + 1e-6);
      expect(rounds).toBeLessThanOrEqual(MOST_ROUNDS);
    }),
  );
});

it("who costs no more is measured no less, in all of the other's rounds", () => {
  fc.assert(
    fc.property(costs, time, (each, all) => {
      const { strides } = planRounds(each, all);
      for (const [a, cost] of each.entries())
        for (const [b, other] of each.entries()) {
          const [mine = 0, theirs = 0] = [strides[a], strides[b]];
          if (cost > other || theirs === 0) continue;
          expect(mine).toBeGreaterThan(0);
          expect(theirs % mine).toBe(0);
        }
    }),
  );
});

it("what fast ones leave goes to the slow", () => {
  expect(planRounds([1, 1, 100], 1000)).toEqual({ rounds: 40, strides: [1, 1, 8] });
  expect(planRounds([100], 99)).toEqual({ rounds: 0, strides: [0] });
  expect(planRounds([], 100)).toEqual({ rounds: 0, strides: [] });
});
