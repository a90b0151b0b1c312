import type { Group } from "../cgroup.ts";
import type { Invocation } from "../tools/tool.ts";
import { type MemoryPeak, memoryPeak, type Timing, time } from "./measure.ts";

/** One line of a table: a command to measure, with what has to be done around it. */
export interface Case {
  readonly name: string;
  readonly group: Group;
  /** Before each run, not measured. */
  readonly before?: () => Promise<unknown>;
  readonly command: () => Invocation;
  /** After each run, not measured. */
  readonly after?: () => Promise<unknown>;
}

export interface RoundsOptions {
  /** Rounds that count; one more comes first, which warms caches. */
  readonly runs: number;
  /** Called before each measurement: writes back what the last one left dirty. */
  readonly settle: () => Promise<unknown>;
  /** Where this process is while nothing is measured. */
  readonly home: Group;
  readonly progress: (line: string) => void;
}

export type Results<Measured> = ReadonlyMap<string, readonly Measured[]>;

export function timeRounds(
  cases: readonly Case[],
  options: RoundsOptions,
): Promise<Results<Timing>> {
  return inRounds(cases, options, time);
}

export function memoryRounds(
  cases: readonly Case[],
  options: RoundsOptions,
): Promise<Results<MemoryPeak>> {
  return inRounds(cases, options, memoryPeak);
}

/**
 * Measures all cases once a round, each round beginning with another case, so that what the
 * machine does meanwhile hits them all alike. A case that fails leaves the table, not the bench.
 */
async function inRounds<Measured>(
  cases: readonly Case[],
  options: RoundsOptions,
  measure: (group: Group, invocation: Invocation) => Promise<Measured>,
): Promise<Results<Measured>> {
  const results = new Map<string, Measured[]>(cases.map((each) => [each.name, []]));
  for (let round = 0; round <= options.runs; round++) {
    for (const each of rotated(cases, round)) {
      const measured = results.get(each.name);
      if (!measured) continue;
      try {
        await each.before?.();
        await options.settle();
        const result = await measure(each.group, each.command());
        if (round > 0) measured.push(result);
        options.home.enter();
        await each.after?.();
      } catch (error) {
        options.home.enter();
        results.delete(each.name);
        options.progress(`${each.name} is left out: ${(error as Error).message}`);
      }
    }
  }
  return results;
}

/** The same values, beginning with another one. */
export function rotated<T>(values: readonly T[], by: number): readonly T[] {
  const start = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}
