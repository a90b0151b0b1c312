import type { BenchEvent } from "../engine/event.ts";
import type { PlaceWish } from "../place/wishes.ts";
import type { AbsentDriver, Machine, PlaceRecord } from "../results/results.ts";
import type { Workload } from "../suite.ts";

/** What the command asks of the process that measures. */
export interface BenchRequest {
  /** The user's store. */
  readonly root: string;
  /** Names; all of them are known. */
  readonly suites: readonly string[];
  readonly wishes: readonly PlaceWish[];
  /** Whether a driver that can't be had is an error: somebody named it. */
  readonly strict: boolean;
  readonly workload: Workload;
  /** Milliseconds. */
  readonly budget: number;
  readonly runs: number | undefined;
}

export type ToBench = { readonly request: BenchRequest } | { readonly stop: true };

/** What that process tells. The last message is `ended` or `failed`, unless it was killed. */
export type FromBench =
  | BenchEvent
  | { readonly kind: "making"; readonly driver: string }
  | {
      readonly kind: "ready";
      readonly machine: Omit<Machine, "loadAfter">;
      readonly places: readonly PlaceRecord[];
      readonly absent: readonly AbsentDriver[];
    }
  | { readonly kind: "ended"; readonly load: number; readonly complete: boolean }
  | {
      readonly kind: "failed";
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
    };
