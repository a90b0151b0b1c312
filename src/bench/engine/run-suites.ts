import { setImmediate } from "node:timers/promises";
import type { Place } from "../place/place.ts";
import type { Stage } from "../stage/stage.ts";
import type { Session, Suite, Workload } from "../suite.ts";
import type { BenchEvent } from "./event.ts";
import { MOST_ROUNDS, planRounds } from "./plan-rounds.ts";
import { RoundRecorder } from "./round-recorder.ts";
import { type SuiteBudget, TimeBudget } from "./time-budget.ts";

export interface RunOptions {
  readonly workload: Workload;
  readonly stage: Stage;
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
  /** It takes part in every so many-th round; 0 in none. */
  stride: number;
  /** Its warm-up, as long as that is all that there is. */
  first: RoundRecorder | undefined;
  /** Rounds that count. */
  told: number;
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
      await this.firstRound();
      while (this.plan()) {
        const measured = await this.plannedRounds();
        if (!measured || this.options.runs !== undefined) break;
      }
    } finally {
      for (const runner of this.runners) this.tellWarmUp(runner);
      for (const runner of this.runners) await this.takeDown(runner);
    }
  }

  /** @returns whether there was time for any of it */
  private async plannedRounds(): Promise<boolean> {
    const before = this.round;
    while (this.round < this.rounds) {
      this.round++;
      const due = rotated(this.runners, this.round).filter((each) => this.isDue(each, before));
      if (due.length === 0) return this.round > before + 1;
      for (const runner of due) this.tell(runner, await this.measure(runner, "measuring"));
    }
    return true;
  }

  /** Shows what a round costs; counts when there is nothing to warm up. */
  private async firstRound(): Promise<void> {
    const { warmsUp } = this.suite;
    if (!warmsUp) this.round = 1;
    for (const runner of [...this.runners]) {
      if (this.isLate(runner.place)) continue;
      const recorder = await this.measure(runner, warmsUp ? "warming up" : "measuring");
      if (warmsUp) runner.first = recorder;
      else this.tell(runner, recorder);
    }
  }

  private async setUp(place: Place, places: number): Promise<void> {
    const { workload, stage, signal } = this.options;
    await this.pause(place, "setting up");
    if (this.isLate(place)) return;
    const deadline = performance.now() + this.budget.setUp / places;
    try {
      const session = await this.suite.open({
        place,
        stage,
        workload,
        late: () => performance.now() > deadline,
        note: (text) => this.note(place, text, false),
        signal,
      });
      this.runners.push({ place, session, cost: 0, stride: 1, first: undefined, told: 0 });
    } catch (error) {
      signal.throwIfAborted();
      this.note(place, reasonOf(error), true);
    }
  }

  /** @returns undefined when the place has failed, and left the suite */
  private async measure(
    runner: Runner,
    phase: "warming up" | "measuring",
  ): Promise<RoundRecorder | undefined> {
    const { place, session } = runner;
    await this.pause(place, phase);
    const start = performance.now();
    const recorder = new RoundRecorder();
    try {
      await place.settle();
      if (this.options.workload.cache === "cold") place.chill();
      const before = place.counters();
      await session.round(recorder);
      await place.settle();
      recorder.recordCosts(before, place.counters());
    } catch (error) {
      this.options.signal.throwIfAborted();
      this.note(place, reasonOf(error), true);
      this.runners = this.runners.filter((each) => each !== runner);
      await this.takeDown(runner);
      return undefined;
    }
    runner.cost = performance.now() - start;
    return recorder;
  }

  /**
   * Plans as many rounds as fit, by what each place's last one took: called again when they
   * are over, for rounds need not all cost the same.
   *
   * @returns whether there are any
   */
  private plan(): boolean {
    const { runs } = this.options;
    if (runs !== undefined) {
      this.rounds = runs;
      return this.round < runs;
    }
    for (const runner of this.runners) runner.stride = 0;
    const unfinished = this.runners.filter(({ told }) => told < MOST_ROUNDS);
    const costs = unfinished.map(({ cost }) => cost);
    const plan = planRounds(costs, this.end - performance.now());
    this.rounds = this.round + plan.rounds;
    unfinished.forEach((runner, at) => {
      runner.stride = plan.strides[at] ?? 0;
    });
    return plan.rounds > 0;
  }

  private isDue({ stride, cost }: Runner, before: number): boolean {
    if (this.options.runs !== undefined) return true;
    if (stride === 0 || (this.round - before - 1) % stride !== 0) return false;
    return performance.now() + cost < this.end;
  }

  private get end(): number {
    return this.budget.start + this.budget.time;
  }

  /** Whether the whole bench's time is over: the place is left out then, and it is said. */
  private isLate(place: Place): boolean {
    if (this.options.runs !== undefined || this.whole.left > 0) return false;
    this.note(place, "the time was up before", true);
    return true;
  }

  private tell(runner: Runner, recorder: RoundRecorder | undefined): void {
    if (recorder === undefined) return;
    const round = Math.max(1, this.round);
    for (const { measure, values } of recorder.values.values()) {
      const sample = { place: runner.place.name, round, values };
      this.options.onEvent({ kind: "sample", suite: this.suite.name, measure, sample });
    }
    runner.first = undefined;
    runner.told += 1;
  }

  /** Better than no figures at all. */
  private tellWarmUp(runner: Runner): void {
    if (runner.first === undefined) return;
    this.note(runner.place, "measured once, without warming up: there was no time for more", false);
    this.round = 1;
    this.tell(runner, runner.first);
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
