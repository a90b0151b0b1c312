import { setImmediate } from "node:timers/promises";
import { dropCaches } from "../place/drop-caches.ts";
import type { Place } from "../place/place.ts";
import type { Session, Suite, Workload } from "../suite.ts";
import type { BenchEvent } from "./event.ts";
import { planRounds } from "./plan-rounds.ts";
import { RoundRecorder } from "./round-recorder.ts";
import { type SuiteBudget, TimeBudget } from "./time-budget.ts";

export interface RunOptions {
  readonly workload: Workload;
  /** Milliseconds for all of it. */
  readonly budget: number;
  /** Exactly so many rounds, however long they take. */
  readonly runs: number | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: BenchEvent) => void;
}

/** A place that takes part in a suite. */
interface Runner {
  readonly place: Place;
  readonly session: Session;
  /** Of its last round, in milliseconds. */
  cost: number;
  stride: number;
}

/**
 * Runs suites one after the other on all places, within the time.
 *
 * Each suite: every place is set up, warmed up by a round that doesn't count, then measured
 * in rounds (A B C, B C A, …), so that what the machine does meanwhile hits all alike. A place
 * that fails leaves the suite, not the bench.
 *
 * @throws the signal's reason when it is aborted; what was measured has been told by then
 */
export async function runSuites(
  suites: readonly Suite[],
  places: readonly Place[],
  options: RunOptions,
): Promise<void> {
  const weights = suites.map(({ weight }) => weight);
  const budget = new TimeBudget(options.budget, weights, () => performance.now());
  for (const suite of suites) {
    const all = places.flatMap((place) => [place, ...(suite.variants?.(place) ?? [])]);
    await new SuiteRun(suite, options, budget, budget.next()).run(all);
  }
}

class SuiteRun {
  private readonly suite: Suite;
  private readonly options: RunOptions;
  private readonly whole: TimeBudget;
  private readonly budget: SuiteBudget;
  private runners: Runner[] = [];
  private round = 0;
  private rounds = 0;

  constructor(suite: Suite, options: RunOptions, whole: TimeBudget, budget: SuiteBudget) {
    this.suite = suite;
    this.options = options;
    this.whole = whole;
    this.budget = budget;
  }

  async run(places: readonly Place[]): Promise<void> {
    try {
      for (const place of places) await this.setUp(place, places.length);
      for (const runner of [...this.runners]) await this.measure(runner, "warming up");
      this.plan();
      for (this.round = 1; this.round <= this.rounds; this.round++) {
        const due = rotated(this.runners, this.round).filter((runner) => this.isDue(runner));
        for (const runner of due) await this.measure(runner, "measuring");
        if (due.length === 0 && this.round > 1) break;
      }
    } finally {
      for (const runner of this.runners) await this.takeDown(runner);
    }
  }

  private async setUp(place: Place, places: number): Promise<void> {
    const { workload, signal } = this.options;
    await this.pause(place, "setting up");
    const deadline = performance.now() + this.budget.setUp / places;
    try {
      const session = await this.suite.open({
        place,
        workload,
        late: () => performance.now() > deadline,
        note: (text) => this.note(place, text, false),
        signal,
      });
      this.runners.push({ place, session, cost: 0, stride: 1 });
    } catch (error) {
      signal.throwIfAborted();
      this.note(place, reasonOf(error), true);
    }
  }

  private async measure(runner: Runner, phase: "warming up" | "measuring"): Promise<void> {
    const { place, session } = runner;
    await this.pause(place, phase);
    const start = performance.now();
    const recorder = new RoundRecorder();
    try {
      await place.settle();
      if (this.options.workload.cache === "cold") dropCaches();
      const before = place.counters();
      await session.round(recorder);
      await place.settle();
      recorder.recordCosts(before, place.counters());
    } catch (error) {
      this.options.signal.throwIfAborted();
      this.note(place, reasonOf(error), true);
      this.runners = this.runners.filter((each) => each !== runner);
      await this.takeDown(runner);
      return;
    }
    runner.cost = performance.now() - start;
    if (phase === "measuring") this.tell(place, recorder);
  }

  private plan(): void {
    const { runs } = this.options;
    if (runs !== undefined) {
      this.rounds = runs;
      return;
    }
    const plan = planRounds(
      this.runners.map(({ cost }) => cost),
      this.end - performance.now(),
    );
    this.rounds = plan.rounds;
    this.runners.forEach((runner, at) => {
      runner.stride = plan.strides[at] ?? 1;
    });
  }

  /** Each is measured once, then as long as there is time for it. */
  private isDue({ stride, cost }: Runner): boolean {
    if (this.round === 1 || this.options.runs !== undefined) return true;
    return (this.round - 1) % stride === 0 && performance.now() + cost < this.end;
  }

  private get end(): number {
    return this.budget.start + this.budget.time;
  }

  private tell(place: Place, recorder: RoundRecorder): void {
    for (const { measure, values } of recorder.values.values()) {
      const sample = { place: place.name, round: this.round, values };
      this.options.onEvent({ kind: "sample", suite: this.suite.name, measure, sample });
    }
  }

  private note(place: Place, text: string, out: boolean): void {
    this.options.onEvent({ kind: "note", suite: this.suite.name, place: place.name, text, out });
  }

  /** Lets what waits be heard: an interrupt, a parent that has gone. */
  private async pause(
    place: Place,
    phase: Extract<BenchEvent, { kind: "progress" }>["phase"],
  ): Promise<void> {
    const { round, rounds, suite } = this;
    const about = { suite: suite.name, place: place.name, phase, round, rounds };
    this.options.onEvent({ kind: "progress", ...about, left: this.whole.left });
    await setImmediate();
    this.options.signal.throwIfAborted();
  }

  private async takeDown({ place, session }: Runner): Promise<void> {
    const { suite, round, rounds } = this;
    const about = { suite: suite.name, place: place.name, round, rounds, left: this.whole.left };
    this.options.onEvent({ kind: "progress", ...about, phase: "taking down" });
    try {
      await session[Symbol.asyncDispose]();
    } catch (error) {
      this.note(place, `is not taken down: ${reasonOf(error)}`, false);
    }
  }
}

/** The same values, beginning with another one. */
function rotated<T>(values: readonly T[], by: number): readonly T[] {
  const start = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
