import type { Measure, Sample } from "../measure.ts";
import { type Comparison, comparePairs, type Rounds } from "../statistics/compare.ts";
import { summarize } from "../statistics/summary.ts";
import type { MeasureResults } from "./results.ts";

/**
 * What the samples of one measure say.
 *
 * @param order the names of all places; the first with samples is what others are compared with
 */
export function assess(
  measure: Measure,
  samples: readonly Sample[],
  order: readonly string[],
): MeasureResults {
  const names = order.filter((name) => samples.some(({ place }) => place === name));
  const rounds = new Map(names.map((name) => [name, roundsOf(samples, name)]));
  const summaries = new Map(
    [...rounds].map(([name, values]) => [name, summarize([...values.values()])]),
  );
  const median = (name: string) => summaries.get(name)?.median ?? Number.NaN;
  const sign = measure.better === "less" ? 1 : -1;
  const best = names.toSorted((a, b) => sign * (median(a) - median(b)))[0];
  const compare = (from: string, to: string) => {
    const [base, other] = [rounds.get(from), rounds.get(to)];
    return base === undefined || other === undefined ? undefined : comparePairs(base, other);
  };
  // With too few rounds nobody is put before anybody.
  const ranks = names.some((name) => name !== best && isTested(compare(best ?? "", name)));
  return {
    ...measure,
    places: names.flatMap((place) => {
      const summary = summaries.get(place);
      const first = names[0];
      if (summary === undefined || first === undefined || best === undefined) return [];
      return {
        place,
        samples: samplesOf(samples, place),
        summary,
        comparison: place === first ? null : (compare(first, place) ?? null),
        best: ranks && (place === best || isEqual(compare(best, place))),
      };
    }),
  };
}

function isTested(comparison: Comparison | undefined): boolean {
  return comparison !== undefined && comparison.test !== "none";
}

/** One pair or two say nothing: they make no equals. */
function isEqual(comparison: Comparison | undefined): boolean {
  return isTested(comparison) && comparison?.differs === false;
}

function samplesOf(
  samples: readonly Sample[],
  name: string,
): MeasureResults["places"][number]["samples"] {
  return samples
    .filter(({ place }) => place === name)
    .map(({ round, values }) => ({ round, values }));
}

function roundsOf(samples: readonly Sample[], name: string): Rounds {
  return new Map(samplesOf(samples, name).map(({ round, values }) => [round, values]));
}
