import { quantile } from "simple-statistics";
import { pairedT } from "./paired-t.ts";
import { signedRank } from "./signed-rank.ts";
import { roundMedians } from "./summary.ts";

/** A difference counts when chance would make it less often than this. */
export const SIGNIFICANT = 0.01;
/** And when it is larger than this share: less is nothing to choose a driver by. */
export const RELEVANT = 0.03;
/** With fewer pairs no order of signs is rarer than {@link SIGNIFICANT}. */
const LEAST_FOR_RANKS = 8;

/** The ratio to a figure of zero. */
export const BOUNDLESS = 1e300;

export interface Comparison {
  /** Median over the pairs of the second's value as a multiple of the first's. */
  readonly ratio: number;
  readonly pairs: number;
  readonly test: "Wilcoxon signed-rank" | "paired t of logarithms" | "none";
  /** How likely such a difference is by chance, or a larger one. */
  readonly p: number;
  /** Whether the two can be told apart. */
  readonly differs: boolean;
}

/** The values of each round by its number. */
export type Rounds = ReadonlyMap<number, readonly number[]>;

/**
 * Compares two drivers in one measure by the rounds that both ran in: what the machine did
 * meanwhile hit both.
 *
 * @param significance the chance that is too small to be chance
 */
export function comparePairs(
  base: Rounds,
  other: Rounds,
  significance: number = SIGNIFICANT,
): Comparison {
  const shared = [...base.keys()].filter((round) => other.has(round));
  const [first, second] = [base, other].map((rounds) =>
    roundMedians(shared.map((round) => rounds.get(round) ?? [])),
  );
  const ratios = (first ?? []).map((value, at) => ratioOf(value, second?.[at] ?? Number.NaN));
  return judge(ratios, significance);
}

function judge(ratios: readonly number[], significance: number): Comparison {
  const pairs = ratios.length;
  if (pairs === 0) return { ratio: Number.NaN, pairs, test: "none", p: 1, differs: false };
  const ratio = quantile([...ratios], 0.5);
  if (pairs < 3) return { ratio, pairs, test: "none", p: 1, differs: false };
  const logarithms = ratios.map(Math.log);
  const byRanks = pairs >= LEAST_FOR_RANKS;
  const p = byRanks ? signedRank(logarithms) : pairedT(logarithms);
  return {
    ratio,
    pairs,
    test: byRanks ? "Wilcoxon signed-rank" : "paired t of logarithms",
    p,
    differs: p < significance && Math.abs(Math.log(ratio)) > Math.log(1 + RELEVANT),
  };
}

/** Two zeros are equal; beside one zero all else is as good as infinite. */
function ratioOf(first: number, second: number): number {
  if (first === second) return 1;
  return Math.min(BOUNDLESS, Math.max(1 / BOUNDLESS, second / first));
}
