import { mean, sampleStandardDeviation } from "simple-statistics";
import { beyondT } from "./student.ts";

/**
 * Student's t-test of paired differences against a mean of zero.
 *
 * @param differences at least two
 * @returns the two-sided p value
 */
export function pairedT(differences: readonly number[]): number {
  const values = [...differences];
  const centre = mean(values);
  const deviation = sampleStandardDeviation(values);
  if (deviation === 0) return centre === 0 ? 1 : 0;
  return beyondT(centre / (deviation / Math.sqrt(values.length)), values.length - 1);
}
