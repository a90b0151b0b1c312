import { median, medianAbsoluteDeviation } from "simple-statistics";

/** From the median absolute deviation to the standard deviation of a normal distribution. */
const MAD_TO_DEVIATION = 1.4826;

/** How many values have moved on the whole: where their middle is, and how far they spread. */
export interface Movement {
  readonly centre: number;
  /** As a standard deviation, of which outliers know nothing. */
  readonly spread: number;
}

export function movementOf(values: readonly number[]): Movement {
  if (values.length === 0) return { centre: 0, spread: 0 };
  const all = [...values];
  return { centre: median(all), spread: medianAbsoluteDeviation(all) * MAD_TO_DEVIATION };
}

export function medianOf(values: readonly number[]): number {
  return median([...values]);
}
