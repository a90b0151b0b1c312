/** What a figure counts. Durations are seconds. */
export type Unit = "seconds" | "bytes" | "bytes/s" | "inodes" | "calls" | "per second" | "share";

/** What a measure depends on: the size of a file, the number of layers. */
export interface Parameter {
  /** `file size`, `layers`. */
  readonly axis: string;
  readonly value: number;
  readonly unit: "bytes" | "count";
}

/** One thing that is measured, in the same way with every driver. */
export interface Measure {
  /** Unique in its suite together with the parameter. */
  readonly name: string;
  readonly parameter?: Parameter;
  readonly unit: Unit;
  readonly better: "less" | "more";
  /** Whether its slowest cases matter as much as the usual one. */
  readonly tail?: true;
}

/** What one round of one place gave for a measure: one value, or one for each repetition. */
export interface Sample {
  readonly place: string;
  readonly round: number;
  readonly values: readonly number[];
}

/** Tells a measure from all others of its suite. */
export function measureKey({ name, parameter }: Pick<Measure, "name" | "parameter">): string {
  return parameter === undefined ? name : `${name} @ ${parameter.value}`;
}
