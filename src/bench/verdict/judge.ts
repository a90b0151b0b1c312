import { placeIn } from "../results/place-in.ts";
import type { MeasureResults, PlaceResults, SuiteResults, Verdict } from "../results/results.ts";
import { type Comparison, comparePairs, type Rounds } from "../statistics/compare.ts";
import { type Basis, KINDS_OF_WORK, type KindOfWork } from "./kinds-of-work.ts";

/** For each kind of work that was measured, who is best at it. */
export function judgeAll(suites: readonly SuiteResults[]): readonly Verdict[] {
  return KINDS_OF_WORK.flatMap((kind) => judge(kind, suites) ?? []);
}

/**
 * The best has the smallest geometric mean of what each measure takes. Who can't be told apart
 * from it in any of them shares its place.
 */
function judge({ title, basis }: KindOfWork, suites: readonly SuiteResults[]): Verdict | undefined {
  const measures = basis.flatMap((each) => atItsLargest(each, suites) ?? []);
  const names = (measures[0]?.places ?? [])
    .map(({ place }) => place)
    .filter((name) => measures.every((measure) => placeIn(measure, name) !== undefined));
  const costs = new Map(names.map((name) => [name, costOf(name, measures)]));
  const ranked = names.toSorted((a, b) => (costs.get(a) ?? 0) - (costs.get(b) ?? 0));
  const [best] = ranked;
  if (best === undefined || ranked.length < 2) return undefined;
  const others = ranked.slice(1);
  const tested = new Set(others.filter((name) => isTested(best, name, measures)));
  // Too few rounds to say anything.
  if (tested.size === 0) return undefined;
  const equals = others.filter((name) => areEqual(best, name, measures));
  return {
    title,
    best,
    equals,
    ranking: ranked.map((place) => ({
      place,
      factor: (costs.get(place) ?? Number.NaN) / (costs.get(best) ?? Number.NaN),
      tested: place === best || tested.has(place),
    })),
    basis: measures.map(({ suite, name, parameter }) => ({
      suite,
      measure: name,
      parameter: parameter?.value ?? null,
    })),
  };
}

interface Found extends MeasureResults {
  readonly suite: string;
}

function atItsLargest(
  { suite, measure }: Basis,
  suites: readonly SuiteResults[],
): Found | undefined {
  const found = suites
    .find(({ name }) => name === suite)
    ?.measures.filter(({ name, places }) => name === measure && places.length > 1)
    .toSorted((a, b) => (a.parameter?.value ?? 0) - (b.parameter?.value ?? 0));
  // The largest that as many places have as have the smallest.
  const most = Math.max(0, ...(found ?? []).map(({ places }) => places.length));
  const last = found?.findLast(({ places }) => places.length === most);
  return last === undefined ? undefined : { ...last, suite };
}

/** Geometric mean over the measures: in it a factor counts the same in each of them. */
function costOf(name: string, measures: readonly MeasureResults[]): number {
  const logarithms = measures.map((measure) => {
    const median = placeIn(measure, name)?.summary.median ?? Number.NaN;
    return Math.log(Math.max(median, Number.MIN_VALUE)) * (measure.better === "less" ? 1 : -1);
  });
  return Math.exp(logarithms.reduce((sum, each) => sum + each, 0) / logarithms.length);
}

/** Whether both ran in enough rounds to be compared, in any of the measures. */
function isTested(first: string, second: string, measures: readonly MeasureResults[]): boolean {
  return measures.some((measure) => compare(measure, first, second)?.test !== "none");
}

function compare(measure: MeasureResults, first: string, second: string): Comparison | undefined {
  const [a, b] = [placeIn(measure, first), placeIn(measure, second)];
  return a === undefined || b === undefined ? undefined : comparePairs(roundsOf(a), roundsOf(b));
}

function areEqual(first: string, second: string, measures: readonly MeasureResults[]): boolean {
  return measures.every((measure) => {
    const comparison = compare(measure, first, second);
    return comparison !== undefined && comparison.test !== "none" && !comparison.differs;
  });
}

function roundsOf({ samples }: PlaceResults): Rounds {
  return new Map(samples.map(({ round, values }) => [round, values]));
}
