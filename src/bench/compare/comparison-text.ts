import { formatParameter, formatRatio, formatValue } from "../report/format-value.ts";
import type { Change, RunComparison } from "./compare-runs.ts";

/** What changed between two runs, in words. */
export function comparisonText({ changes, compared, movement, warnings }: RunComparison): string {
  const percent = Math.round(movement * 100);
  const rule = `${compared} figures compared, which moved by ${percent} % (standard deviation); a change is one of more than 8 % that a test of all of them doesn't put down to chance (p < 0.01, Welch, Holm)`;
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
