import type { Measure } from "./measure.ts";
import type { Place } from "./place/place.ts";
import type { Stage } from "./stage/stage.ts";

/** What the user asked of the bench, for the suites. */
export interface Workload {
  /** Of all generated content and of every random choice. */
  readonly seed: number;
  readonly cache: "cold" | "warm";
  /** How deep the stacks are that `depth` looks at. */
  readonly layers: readonly number[];
  /** How many containers at once. */
  readonly parallel: readonly number[];
  /** An image of the user's in place of the generated ones, where one is run. */
  readonly image: string | undefined;
}

/** Takes the figures of one round. */
export interface Recorder {
  /** @param values one, or one for each repetition */
  record(measure: Measure, ...values: readonly number[]): void;
  /** Records how long `action` takes, in seconds. */
  time<T>(measure: Measure, action: () => T): T;
}

/** One suite on one place, set up. Disposing takes down what it set up. */
export interface Session extends AsyncDisposable {
  round(recorder: Recorder): void | Promise<void>;
}

export interface SetUp {
  readonly place: Place;
  readonly stage: Stage;
  readonly workload: Workload;
  /**
   * Whether this place's share of the time for setting up has run out. What can't be set up
   * in time is left out, and said so with `note`.
   */
  readonly late: () => boolean;
  /** Says what the report must tell of this place in this suite. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** One kind of work, measured in the same way on every place. */
export interface Suite {
  readonly name: string;
  /** What it answers, as a sentence for the report. */
  readonly question: string;
  /** How it is measured, for the report. */
  readonly method: string;
  /** Where the workload comes from. */
  readonly source: string;
  /** Its share of the time, relative to the others. */
  readonly weight: number;
  /** Whether the first round is one more, to warm caches. */
  readonly warmsUp: boolean;
  /** Whether it runs when no suite is named. */
  readonly usual: boolean;
  /** Present where a place is measured in other ways, too: with an option of the kernel, say. */
  variants?(place: Place): readonly Place[];
  open(setUp: SetUp): Session | Promise<Session>;
}
