import {
  mean,
  medianAbsoluteDeviation,
  quantile,
  sampleStandardDeviation,
} from "simple-statistics";

/** Above this the figures of a measure are flagged as noisy. */
export const NOISY = 0.05;

/** What is told of a driver's figures for one measure. All in the measure's unit. */
export interface Summary {
  readonly rounds: number;
  /** All repetitions of all rounds. */
  readonly values: number;
  readonly median: number;
  readonly p95: number;
  /** Median distance from the median. */
  readonly mad: number;
  /** Between these two the true median lies, with a confidence of 95 % from six rounds on. */
  readonly low: number;
  readonly high: number;
  /** Standard deviation of the rounds' medians, as a share of their mean. */
  readonly variation: number;
  readonly noisy: boolean;
}

/** @param rounds the values of each round, none of them without values */
export function summarize(rounds: readonly (readonly number[])[]): Summary {
  const all = rounds.flat();
  const medians = roundMedians(rounds).sort((a, b) => a - b);
  const variation = variationOf(medians);
  const [low, high] = medianInterval(medians);
  return {
    rounds: rounds.length,
    values: all.length,
    median: quantile(all, 0.5),
    p95: quantile(all, 0.95),
    mad: medianAbsoluteDeviation(all),
    low,
    high,
    variation,
    noisy: variation > NOISY,
  };
}

export function roundMedians(rounds: readonly (readonly number[])[]): number[] {
  return rounds.map((values) => quantile([...values], 0.5));
}

function variationOf(values: readonly number[]): number {
  const centre = mean([...values]);
  if (values.length < 2 || centre === 0) return 0;
  return sampleStandardDeviation([...values]) / Math.abs(centre);
}

/**
 * The interval between two order statistics that holds the median with a chance of at least
 * 95 %; with fewer than six values there is none, and the answer is their whole range.
 */
function medianInterval(sorted: readonly number[]): readonly [number, number] {
  const count = sorted.length;
  let outside = 0;
  let chance = 0.5 ** count;
  // The chance that fewer than `outside + 1` values lie on one side of the median.
  let tail = chance;
  while (tail * 2 <= 0.05) {
    outside += 1;
    chance *= (count - outside + 1) / outside;
    tail += chance;
  }
  const cut = Math.max(0, outside - 1);
  return [sorted[cut] ?? Number.NaN, sorted[count - 1 - cut] ?? Number.NaN];
}
