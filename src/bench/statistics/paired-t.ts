import { mean, sampleStandardDeviation } from "simple-statistics";

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
  const t = Math.abs(centre) / (deviation / Math.sqrt(values.length));
  return 1 - shareWithin(t, values.length - 1);
}

/**
 * The share of Student's distribution between -t and t.
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4
 */
function shareWithin(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let at = odd ? 2 : 1; at < freedom - 2; at += 2) {
    term *= (at / (at + 1)) * cosine * cosine;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
