import type { Measure, Sample } from "../measure.ts";
import type { Backing } from "../place/place.ts";
import type { Comparison } from "../statistics/compare.ts";
import type { Summary } from "../statistics/summary.ts";
import type { Workload } from "../suite.ts";

/** Grows with every change that a reader of the old form would trip over. */
export const RESULTS_VERSION = 1;

/** What `results.json` holds; docs/bench-results.schema.json describes it. */
export interface Results {
  readonly format: "tsimg-bench";
  readonly version: typeof RESULTS_VERSION;
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string;
  /** False when it was interrupted: what had been measured by then is all here. */
  readonly complete: boolean;
  readonly tsimg: string;
  readonly options: RunRecord;
  readonly machine: Machine;
  /** In the order in which they are shown; the first is what others are compared with. */
  readonly places: readonly PlaceRecord[];
  /** Drivers that were asked for and can't be had here, and why. */
  readonly absent: readonly AbsentDriver[];
  readonly suites: readonly SuiteResults[];
  readonly verdicts: readonly Verdict[];
}

export interface RunRecord extends Workload {
  /** Seconds. */
  readonly budget: number;
  /** Rounds that were asked for; null when the time decided. */
  readonly runs: number | null;
}

export interface Machine {
  readonly kernel: string;
  readonly processors: string;
  /** Bytes. */
  readonly memory: number;
  /** What the files of the places lie on. */
  readonly fileSystem: string;
  readonly mountOptions: string;
  readonly device: string;
  /** Averages of the last minute, before and after. */
  readonly loadBefore: number;
  readonly loadAfter: number | null;
  readonly versions: Readonly<Record<string, string>>;
}

export interface PlaceRecord {
  readonly name: string;
  readonly backing: Backing;
  readonly notes: readonly string[];
}

export interface AbsentDriver {
  readonly driver: string;
  readonly reason: string;
}

export interface SuiteResults {
  readonly name: string;
  readonly question: string;
  readonly method: string;
  readonly source: string;
  readonly notes: readonly SuiteNote[];
  readonly measures: readonly MeasureResults[];
}

/** Who is best at a kind of work. */
export interface Verdict {
  readonly title: string;
  readonly best: string;
  /** Those that can't be told apart from it. */
  readonly equals: readonly string[];
  /** All that were measured in everything it rests on; how many times as much each takes. */
  readonly ranking: readonly {
    readonly place: string;
    readonly factor: number;
    /** False when it ran in too few rounds to be compared: its factor is a rough one. */
    readonly tested: boolean;
  }[];
  readonly basis: readonly {
    readonly suite: string;
    readonly measure: string;
    readonly parameter: number | null;
  }[];
}

export interface SuiteNote {
  readonly place: string;
  readonly text: string;
}

export interface MeasureResults extends Measure {
  /** Of each place that has figures, in the order of the places. */
  readonly places: readonly PlaceResults[];
}

export interface PlaceResults {
  readonly place: string;
  readonly samples: readonly Omit<Sample, "place">[];
  readonly summary: Summary;
  /** Against the first place; null for that one itself. */
  readonly comparison: Comparison | null;
  /** The best, or can't be told apart from it. */
  readonly best: boolean;
}
