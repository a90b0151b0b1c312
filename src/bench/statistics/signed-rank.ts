import { errorFunction } from "simple-statistics";

/** Above this the sums are as good as normally distributed. */
const EXACT_UP_TO = 50;

/**
 * Wilcoxon's signed-rank test of paired differences against a median of zero.
 *
 * Differences of zero are left out; equal ones share their mean rank. Up to fifty pairs the
 * answer is exact: it counts over all choices of signs.
 *
 * @returns the two-sided p value; 1 when no difference is left
 * @see Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1 (1945)
 */
export function signedRank(
  differences: readonly number[],
  exactUpTo: number = EXACT_UP_TO,
): number {
  const present = differences.filter((each) => each !== 0);
  if (present.length === 0) return 1;
  const ranks = doubledRanks(present.map(Math.abs));
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const positive = ranks.reduce((sum, rank, at) => sum + ((present[at] ?? 0) > 0 ? rank : 0), 0);
  const smaller = Math.min(positive, total - positive);
  if (present.length > exactUpTo) return normalTail(smaller, ranks, total);
  return Math.min(1, 2 * shareUpTo(smaller, ranks, total));
}

/** Twice each value's rank, so that the mean of two ranks is a whole number. */
function doubledRanks(values: readonly number[]): readonly number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => sorted.indexOf(value) + sorted.lastIndexOf(value) + 2);
}

/** Of all choices of signs the share whose positive ranks add up to `limit` or less. */
function shareUpTo(limit: number, ranks: readonly number[], total: number): number {
  const chances = new Float64Array(total + 1);
  chances[0] = 1;
  for (const rank of ranks)
    for (let sum = total; sum >= 0; sum--) {
      const without = chances[sum] ?? 0;
      const before = sum >= rank ? (chances[sum - rank] ?? 0) : 0;
      chances[sum] = (without + before) / 2;
    }
  return chances.subarray(0, limit + 1).reduce((sum, chance) => sum + chance, 0);
}

function normalTail(smaller: number, ranks: readonly number[], total: number): number {
  const variance = ranks.reduce((sum, rank) => sum + rank * rank, 0) / 4;
  // By one: half the distance between two sums of doubled ranks.
  const distance = Math.max(0, total / 2 - smaller - 1) / Math.sqrt(variance);
  return 1 - errorFunction(distance / Math.SQRT2);
}
