import type { Measure, Sample } from "../measure.ts";

/** What a bench tells while it works. */
export type BenchEvent =
  | {
      readonly kind: "progress";
      readonly suite: string;
      readonly place: string;
      readonly phase: "setting up" | "warming up" | "measuring" | "taking down";
      /** Of the suite's rounds; 0 before the first. */
      readonly round: number;
      readonly rounds: number;
      /** Until the bench should be done, in milliseconds. */
      readonly left: number;
    }
  | {
      readonly kind: "sample";
      readonly suite: string;
      readonly measure: Measure;
      readonly sample: Sample;
    }
  | {
      readonly kind: "note";
      readonly suite: string;
      readonly place: string;
      readonly text: string;
      /** Whether the place takes no further part in the suite. */
      readonly out: boolean;
    };
