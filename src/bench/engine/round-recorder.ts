import type { Measure } from "../measure.ts";
import { measureKey } from "../measure.ts";
import type { Counters } from "../place/place.ts";
import type { Recorder } from "../suite.ts";

/** What every round costs beside what its suite measures. */
export const COSTS = {
  processor: { name: "processor time of a round", unit: "seconds", better: "less" },
  calls: { name: "read and write calls in a round", unit: "calls", better: "less" },
  written: { name: "written to the device in a round", unit: "bytes", better: "less" },
  read: { name: "read from the device in a round", unit: "bytes", better: "less" },
} as const satisfies Readonly<Record<string, Measure>>;

/** Collects the values of one round of one place. */
export class RoundRecorder implements Recorder {
  readonly values = new Map<string, { readonly measure: Measure; readonly values: number[] }>();

  record(measure: Measure, ...values: readonly number[]): void {
    const key = measureKey(measure);
    const known = this.values.get(key);
    if (known === undefined) this.values.set(key, { measure, values: [...values] });
    else known.values.push(...values);
  }

  time<T>(measure: Measure, action: () => T): T {
    const start = process.hrtime.bigint();
    const result = action();
    this.record(measure, Number(process.hrtime.bigint() - start) / 1e9);
    return result;
  }

  recordCosts(before: Counters, after: Counters): void {
    for (const name of ["processor", "calls", "written", "read"] as const) {
      const [from, to] = [before[name], after[name]];
      if (from !== undefined && to !== undefined) this.record(COSTS[name], to - from);
    }
  }
}
