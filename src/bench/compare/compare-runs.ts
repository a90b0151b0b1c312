import { measureKey } from "../measure.ts";
import type { MeasureResults, PlaceResults, Results } from "../results/results.ts";
import { SIGNIFICANT } from "../statistics/compare.ts";
import { holm } from "../statistics/holm.ts";
import { medianOf, spreadAroundZero } from "../statistics/movement.ts";
import { beyondT } from "../statistics/student.ts";
import { roundMedians } from "../statistics/summary.ts";
import { type MeanDifference, meanDifference } from "../statistics/welch.ts";

/** Less than this is no change that anybody would act on. */
const LEAST_CHANGE = 0.08;
/** Above this Student's distribution is as good as the normal one. */
const MOST_FREEDOM = 300;
/** Seconds. Below that the call from JavaScript is most of a figure. */
const SHORTEST = 5e-6;
/** Of two runs without any noise, such as counts: the score of a difference. */
const CERTAIN = 1000;

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
  /** Standard deviation of what figures moved by from one run to the other, as a share. */
  readonly movement: number;
  /** Why the two should not be compared, or with care: another kernel, a drift of everything. */
  readonly warnings: readonly string[];
}

interface Pair extends Pick<Change, "suite" | "measure" | "place" | "before" | "after"> {
  /** Of the ratio of the medians. */
  readonly logarithm: number;
  readonly mean: MeanDifference;
}

/** The movement of everything in a suite, as a logarithm. */
type Drifts = ReadonlyMap<string, number>;

/**
 * What has changed between two runs. Their rounds have no partners, and a machine is never
 * quite the same twice: from run to run figures move further than they do within one. How
 * much further is seen from all figures together. So, of each figure's logarithm, what its
 * whole suite moved by is taken off; the rest is measured in its standard error, times the
 * factor by which errors of that kind are too small; and the chance is that of Student's
 * distribution, with Holm's correction for the number of figures.
 *
 * @see Efron, "Large-Scale Simultaneous Hypothesis Testing: The Choice of a Null Hypothesis" (2004)
 */
export function compareRuns(before: Results, after: Results): RunComparison {
  const pairs = pairsOf(before, after);
  const drifts = driftsOf(pairs);
  const moved = pairs.map(({ suite, mean }) => mean.difference - (drifts.get(suite) ?? 0));
  const scores = pairs.map(({ mean }, at) => scoreOf(moved[at] ?? 0, mean.error));
  const factor = Math.max(1, spreadAroundZero(scores));
  const chances = pairs.map(({ mean }, at) =>
    beyondT((scores[at] ?? 0) / factor, Math.min(mean.freedom, MOST_FREEDOM)),
  );
  const significant = holm(chances, SIGNIFICANT);
  const changes = pairs.flatMap((pair, at) =>
    significant[at] === true && isRelevant(moved[at]) && isRelevant(pair.logarithm)
      ? changeOf(pair, chances[at] ?? 1)
      : [],
  );
  return {
    changes: changes.toSorted((a, b) => badness(b) - badness(a)),
    compared: pairs.length,
    movement: Math.exp(spreadAroundZero(moved)) - 1,
    warnings: [...otherCircumstances(before, after), ...driftWarnings(drifts)],
  };
}

/** What all figures of a suite together moved by. */
function driftsOf(pairs: readonly Pair[]): Drifts {
  return new Map(
    [...Map.groupBy(pairs, ({ suite }) => suite)].map(([suite, own]) => [
      suite,
      medianOf(own.map(({ mean }) => mean.difference)),
    ]),
  );
}

function scoreOf(moved: number, error: number): number {
  if (error > 0) return moved / error;
  return moved === 0 ? 0 : Math.sign(moved) * CERTAIN;
}

function isRelevant(logarithm: number | undefined): boolean {
  return Math.abs(logarithm ?? 0) > Math.log(1 + LEAST_CHANGE);
}

function changeOf({ logarithm, mean: _, ...pair }: Pair, p: number): Change {
  const worse = logarithm > 0 === (pair.measure.better === "less");
  return { ...pair, ratio: Math.exp(logarithm), p, worse };
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
  const mean = meanDifference(first, second);
  if (mean === undefined || isCallItself(measure, before, after)) return undefined;
  return {
    ...{ suite, measure, place: after.place, mean },
    before: before.summary.median,
    after: after.summary.median,
    logarithm: medianOf(second) - medianOf(first),
  };
}

/** What takes no longer than the call to measure it is not the driver's. */
function isCallItself({ unit }: MeasureResults, ...places: readonly PlaceResults[]): boolean {
  return unit === "seconds" && places.every(({ summary }) => summary.median < SHORTEST);
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

function otherCircumstances(before: Results, after: Results): readonly string[] {
  const facts = (["kernel", "processors", "memory", "device"] as const).map(
    (fact) => [fact, before.machine[fact], after.machine[fact]] as const,
  );
  const options = (["seed", "cache", "image"] as const).map(
    (option) => [option, before.options[option], after.options[option]] as const,
  );
  return [...facts, ...options]
    .filter(([, then, now]) => then !== now)
    .map(([name, then, now]) => `another ${name}: ${then} then, ${now} now`);
}

function driftWarnings(drifts: Drifts): readonly string[] {
  return [...drifts]
    .filter(([, drift]) => isRelevant(drift))
    .map(([suite, drift]) => {
      const percent = Math.round((Math.exp(drift) - 1) * 100);
      return `all of ${suite} moved by ${percent > 0 ? "+" : ""}${percent} %, which is left out of account: the machine itself may have changed`;
    });
}
