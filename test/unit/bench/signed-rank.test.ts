import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pairedT } from "../../../src/bench/statistics/paired-t.ts";
import { signedRank } from "../../../src/bench/statistics/signed-rank.ts";

const differences = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 12 });

/** By looking at every choice of signs. */
function bruteForce(values: readonly number[]): number {
  const present = values.filter((value) => value !== 0);
  if (present.length === 0) return 1;
  const sizes = present.map(Math.abs);
  const sorted = [...sizes].sort((a, b) => a - b);
  const ranks = sizes.map((size) => (sorted.indexOf(size) + sorted.lastIndexOf(size)) / 2 + 1);
  const total = ranks.reduce((a, b) => a + b, 0);
  const sumOf = (isPositive: (at: number) => boolean) =>
    ranks.reduce((sum, rank, at) => sum + (isPositive(at) ? rank : 0), 0);
  const seen = Math.abs(sumOf((at) => (present[at] ?? 0) > 0) - total / 2);
  let extreme = 0;
  for (let signs = 0; signs < 2 ** present.length; signs++)
    if (Math.abs(sumOf((at) => ((signs >> at) & 1) === 1) - total / 2) >= seen - 1e-9) extreme++;
  return extreme / 2 ** present.length;
}

describe("Wilcoxon's signed-rank test", () => {
  it("gives the share of all choices of signs that are at least as one-sided", () => {
    fc.assert(
      fc.property(differences, (values) => {
        expect(signedRank(values)).toBeCloseTo(bruteForce(values), 9);
      }),
    );
  });

  it("doesn't care which of the two came first", () => {
    fc.assert(
      fc.property(differences, (values) => {
        expect(signedRank(values)).toBeCloseTo(signedRank(values.map((value) => -value)), 12);
      }),
    );
  });

  it("goes over to the normal distribution without a step", () => {
    const values = Array.from({ length: 51 }, (_, at) => (at % 3 === 0 ? -1 : 1) * (at + 1));
    const [exact, normal] = [60, 50].map((exactUpTo) => signedRank(values, exactUpTo));
    expect(exact).toBeLessThan(0.2);
    expect(normal).toBeCloseTo(exact ?? 0, 2);
  });
});

describe("the paired t-test", () => {
  // Two-sided p values as R's t.test gives them.
  it.each([
    [[1, 2, 3], 0.07417990022744853],
    [[0.5, 0.6, 0.7, 0.8, 0.9], 0.0005840929],
    [[1.1, 0.9, 1.4, -0.2], 0.1056136],
    [[2, 4], 0.2048327646991335],
  ])("of %j", (values, p) => {
    expect(pairedT(values)).toBeCloseTo(p, 4);
  });

  it("of equal differences is certain, of none says nothing", () => {
    expect(pairedT([3, 3, 3])).toBe(0);
    expect(pairedT([0, 0, 0])).toBe(1);
  });
});
