import { median, medianAbsoluteDeviation } from "simple-statistics";

/** From the median absolute deviation to the standard deviation of a normal distribution. */
const MAD_TO_DEVIATION = 1.4826;

/** The standard deviation of values around zero, of which outliers know nothing. */
export function spreadAroundZero(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return medianAbsoluteDeviation([...values, ...values.map((value) => -value)]) * MAD_TO_DEVIATION;
}

/** 0 when there are none. */
export function medianOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : median([...values]);
}
