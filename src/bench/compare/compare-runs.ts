import { measureKey } from "../measure.ts";
import type { MeasureResults, PlaceResults, Results } from "../results/results.ts";
import { SIGNIFICANT } from "../statistics/compare.ts";
import { holm } from "../statistics/holm.ts";
import { medianOf, movementOf } from "../statistics/movement.ts";
import { roundMedians } from "../statistics/summary.ts";
import { welch } from "../statistics/welch.ts";

/** Less than this is no change that anybody would act on. */
const LEAST_CHANGE = 0.08;
/** How many times the usual movement of all figures a change must be. */
const USUAL_MOVEMENTS = 4;

/** A figure that two runs have in common and that is not the same in both. */
export interface Change {
  readonly suite: string;
  readonly measure: MeasureResults;
  readonly place: string;
  readonly before: number;
  readonly after: number;
  /** How many times as much the second run's is. */
  readonly ratio: number;
  readonly p: number;
  readonly worse: boolean;
}

export interface RunComparison {
  /** The worst first. */
  readonly changes: readonly Change[];
  /** Figures that both runs have. */
  readonly compared: number;
  /** What a figure's ratio must be off by to count. */
  readonly bar: number;
  /** Why the two should not be compared: another machine, another kernel. */
  readonly warnings: readonly string[];
}

interface Pair extends Omit<Change, "worse"> {
  readonly logarithm: number;
}

/**
 * What has changed between two runs. Their rounds have no partners, and a machine is never
 * quite the same twice; so a figure has changed when Welch's test of the logarithms says so,
 * with Holm's correction for the number of figures, and it moved much further than figures did
 * on the whole.
 */
export function compareRuns(before: Results, after: Results): RunComparison {
  const pairs = pairsOf(before, after);
  const { centre, spread } = movementOf(pairs.map(({ logarithm }) => logarithm));
  const bar = Math.max(Math.log(1 + LEAST_CHANGE), USUAL_MOVEMENTS * spread);
  const significant = holm(
    pairs.map(({ p }) => p),
    SIGNIFICANT,
  );
  const changes = pairs
    .filter(({ logarithm }, at) => significant[at] === true && Math.abs(logarithm) > bar)
    .map(({ logarithm, ...change }) => ({
      ...change,
      worse: logarithm > 0 === (change.measure.better === "less"),
    }))
    .toSorted((a, b) => badness(b) - badness(a));
  return {
    changes,
    compared: pairs.length,
    bar: Math.exp(bar) - 1,
    warnings: warningsOf(before, after, centre),
  };
}

function pairsOf(before: Results, after: Results): readonly Pair[] {
  return after.suites.flatMap((suite) => {
    const old = before.suites.find(({ name }) => name === suite.name);
    return suite.measures.flatMap((measure) => {
      const key = measureKey(measure);
      const oldMeasure = old?.measures.find((each) => measureKey(each) === key);
      return measure.places.flatMap((place) => {
        const oldPlace = oldMeasure?.places.find((each) => each.place === place.place);
        return oldPlace === undefined ? [] : (pairOf(suite.name, measure, oldPlace, place) ?? []);
      });
    });
  });
}

function pairOf(
  suite: string,
  measure: MeasureResults,
  before: PlaceResults,
  after: PlaceResults,
): Pair | undefined {
  const [first, second] = [logarithmsOf(before), logarithmsOf(after)];
  // What is zero at times, such as bytes read, has no ratio.
  if (first === undefined || second === undefined) return undefined;
  const logarithm = medianOf(second) - medianOf(first);
  return {
    ...{ suite, measure, place: after.place, logarithm },
    before: before.summary.median,
    after: after.summary.median,
    ratio: Math.exp(logarithm),
    p: welch(first, second),
  };
}

function logarithmsOf({ samples }: PlaceResults): number[] | undefined {
  const medians = roundMedians(samples.map(({ values }) => values));
  return medians.length > 0 && medians.every((value) => value > 0)
    ? medians.map(Math.log)
    : undefined;
}

function badness({ ratio, worse }: Change): number {
  return Math.abs(Math.log(ratio)) * (worse ? 1 : -1);
}

function warningsOf(before: Results, after: Results, centre: number): readonly string[] {
  const facts = ["kernel", "processors", "memory", "device"] as const;
  const differing = facts
    .filter((fact) => before.machine[fact] !== after.machine[fact])
    .map((fact) => `another ${fact}: ${before.machine[fact]} then, ${after.machine[fact]} now`);
  const options = (["seed", "cache"] as const)
    .filter((option) => before.options[option] !== after.options[option])
    .map(
      (option) => `another ${option}: ${before.options[option]} then, ${after.options[option]} now`,
    );
  const moved =
    Math.abs(centre) > Math.log(1 + LEAST_CHANGE)
      ? [
          `all figures together moved by ${Math.round((Math.exp(centre) - 1) * 100)} %: the machine itself may have changed`,
        ]
      : [];
  return [...differing, ...options, ...moved];
}
