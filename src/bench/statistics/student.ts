/**
 * The share of Student's distribution that lies further out than t, on both sides.
 *
 * @param freedom degrees of freedom, a whole number from 1
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4
 */
export function beyondT(t: number, freedom: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let at = odd ? 2 : 1; at < freedom - 2; at += 2) {
    term *= (at / (at + 1)) * cosine * cosine;
    sum += term;
  }
  return Math.max(0, 1 - (odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum));
}
