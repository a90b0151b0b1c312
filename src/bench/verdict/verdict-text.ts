import { formatParameter, formatRatio, formatValue } from "../report/format-value.ts";
import { placeIn } from "../results/place-in.ts";
import type { MeasureResults, Results, Verdict } from "../results/results.ts";

/** A verdict in words, with the figures that it rests on. */
export interface VerdictText {
  readonly title: string;
  readonly answer: string;
  readonly reasons: readonly string[];
}

export function verdictTexts({ suites, verdicts }: Results): readonly VerdictText[] {
  return verdicts.map((verdict) => ({
    title: verdict.title,
    answer: answerOf(verdict),
    reasons: verdict.basis.flatMap(({ suite, measure, parameter }) => {
      const found = suites
        .find(({ name }) => name === suite)
        ?.measures.find(
          (each) => each.name === measure && (each.parameter?.value ?? null) === parameter,
        );
      return found === undefined ? [] : reasonOf(suite, found, verdict);
    }),
  }));
}

function answerOf({ best, equals, ranking }: Verdict): string {
  const others = ranking.filter(({ place }) => place !== best && !equals.includes(place));
  const rest = others
    .map(({ place, factor, tested }) => `${place} ${tested ? "" : "about "}${formatRatio(factor)}`)
    .join(", ");
  const first = equals.length === 0 ? best : `can't tell apart: ${[best, ...equals].join(", ")}`;
  return rest === "" ? first : `${first}; then ${rest}`;
}

function reasonOf(suite: string, measure: MeasureResults, { ranking }: Verdict): string {
  const at = measure.parameter === undefined ? "" : `, ${formatParameter(measure.parameter)}`;
  const figures = ranking.flatMap(({ place }) => {
    const found = placeIn(measure, place);
    return found === undefined ? [] : `${place} ${formatValue(found.summary.median, measure.unit)}`;
  });
  return `${suite}, ${measure.name}${at}: ${figures.join(", ")}`;
}
