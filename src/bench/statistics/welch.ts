import { mean, sampleVariance } from "simple-statistics";

/** How far apart two samples' means are, and how sure that is. */
export interface MeanDifference {
  /** The second's less the first's. */
  readonly difference: number;
  /** Standard error of the difference. */
  readonly error: number;
  /** Degrees of freedom of Student's distribution, rounded down: rather too careful than not. */
  readonly freedom: number;
}

/**
 * Welch's comparison of two samples that have no pairs.
 *
 * @returns undefined with fewer than two values on a side
 * @see Welch, "The Generalization of Student's Problem", Biometrika 34 (1947)
 */
export function meanDifference(
  first: readonly number[],
  second: readonly number[],
): MeanDifference | undefined {
  if (first.length < 2 || second.length < 2) return undefined;
  const [a, b] = [errorOf(first), errorOf(second)];
  const freedom = (a + b) ** 2 / (a ** 2 / (first.length - 1) + b ** 2 / (second.length - 1));
  return {
    difference: mean([...second]) - mean([...first]),
    error: Math.sqrt(a + b),
    freedom: Number.isFinite(freedom) ? Math.max(1, Math.floor(freedom)) : 1,
  };
}

/** Square of the mean's standard error. */
function errorOf(values: readonly number[]): number {
  return sampleVariance([...values]) / values.length;
}
