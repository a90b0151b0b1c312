import { formatParameter, formatRatio, formatValue } from "../report/format-value.ts";
import type { Change, RunComparison } from "./compare-runs.ts";

/** What changed between two runs, in words. */
export function comparisonText({ changes, compared, bar, warnings }: RunComparison): string {
  const percent = Math.round(bar * 100);
  const rule = `${compared} figures compared; a change is one of more than ${percent} % that Welch's test (p < 0.01, after Holm) doesn't put down to chance`;
  const lines =
    changes.length === 0 ? ["nothing has changed"] : changes.map((change) => changeLine(change));
  return [...warnings.map((text) => `warning: ${text}`), ...lines, rule]
    .map((line) => `${line}\n`)
    .join("");
}

function changeLine({ suite, measure, place, before, after, ratio, p, worse }: Change): string {
  const at = measure.parameter === undefined ? "" : `, ${formatParameter(measure.parameter)}`;
  const [was, is] = [before, after].map((value) => formatValue(value, measure.unit));
  const chance = p < 1e-4 ? "p < 0.0001" : `p = ${p.toPrecision(2)}`;
  return `${worse ? "worse " : "better"}  ${suite}, ${measure.name}${at}, ${place}: ${was} -> ${is} (${formatRatio(ratio)}, ${chance})`;
}
