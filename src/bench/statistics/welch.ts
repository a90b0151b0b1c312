import { mean, sampleVariance } from "simple-statistics";
import { beyondT } from "./student.ts";

/**
 * Welch's t-test: whether two samples that have no pairs have different means.
 *
 * @returns the two-sided p value; 1 with fewer than two values on a side
 * @see Welch, "The Generalization of Student's Problem", Biometrika 34 (1947)
 */
export function welch(first: readonly number[], second: readonly number[]): number {
  if (first.length < 2 || second.length < 2) return 1;
  const [a, b] = [errorOf(first), errorOf(second)];
  const difference = mean([...first]) - mean([...second]);
  if (a + b === 0) return difference === 0 ? 1 : 0;
  const freedom = (a + b) ** 2 / (a ** 2 / (first.length - 1) + b ** 2 / (second.length - 1));
  // Rounded down: rather too careful than not.
  return beyondT(difference / Math.sqrt(a + b), Math.max(1, Math.floor(freedom)));
}

/** Square of the mean's standard error. */
function errorOf(values: readonly number[]): number {
  return sampleVariance([...values]) / values.length;
}
