import { placeIn } from "../../results/place-in.ts";
import type { MeasureResults, PlaceResults, SuiteResults } from "../../results/results.ts";
import { formatRatio, formatValue, measureLabel } from "../format-value.ts";
import { barChart } from "./bar-chart.ts";
import { escapeHtml } from "./escape-html.ts";
import { figure } from "./figure.ts";
import { lineChart } from "./line-chart.ts";
import type { Palette } from "./palette.ts";

const WIDE = 920;
const NARROW = 358;
/** Of one of several charts side by side. */
const HALF = 440;

/** One suite: what it asks, its charts, and all its figures. */
export function suiteSection(suite: SuiteResults, palette: Palette): string {
  return `<section id="${suite.name}">
<h2>${escapeHtml(suite.name)}</h2>
<p>${escapeHtml(suite.question)}</p>
<p class="faint">${escapeHtml(suite.method)} After ${escapeHtml(suite.source)}.</p>
${notesOf(suite)}
${barFigures(suite, palette)}
${lineFigures(suite, palette)}
<details><summary>All figures of ${escapeHtml(suite.name)}</summary>${tableOf(suite, palette)}</details>
</section>`;
}

function notesOf({ notes }: SuiteResults): string {
  if (notes.length === 0) return "";
  const items = notes.map(({ place, text }) => `<li>${escapeHtml(`${place}: ${text}`)}</li>`);
  return `<ul class="faint">${items.join("")}</ul>`;
}

/** Measures of one unit stand in one chart. */
function barFigures({ measures }: SuiteResults, palette: Palette): string {
  const single = measures.filter(({ parameter, places }) => !parameter && places.some(hasBar));
  return [...Map.groupBy(single, ({ unit }) => unit)]
    .map(([, group]) =>
      figure({
        label: group.map(({ name }) => name).join(", "),
        wide: barChart(group, palette, WIDE),
        narrow: barChart(group, palette, NARROW),
        caption: `${better(group[0])} Median of all rounds; whiskers: where the true median lies with 95 % confidence (with fewer than six rounds, their whole range). Logarithmic.`,
      }),
    )
    .join("\n");
}

function lineFigures({ measures }: SuiteResults, palette: Palette): string {
  const groups = [...Map.groupBy(measures.filter(hasParameter), ({ name }) => name)];
  const drawn = groups.filter(([, group]) => group.length > 1);
  if (drawn.length === 0) return "";
  const figures = drawn.map(([name, group]) => {
    const axis = group[0]?.parameter?.axis ?? "";
    return `<div><h3>${escapeHtml(name)}</h3>${figure({
      label: `${name} by ${axis}`,
      wide: lineChart(group, palette, HALF),
      narrow: lineChart(group, palette, NARROW),
      caption: `Horizontally: ${axis}. ${better(group[0])} Medians; both axes go by factors.`,
    })}</div>`;
  });
  return `<div class="many">${figures.join("\n")}</div>`;
}

function tableOf(suite: SuiteResults, palette: Palette): string {
  const names = palette.names.filter((name) =>
    suite.measures.some(({ places }) => places.some(({ place }) => place === name)),
  );
  const head = names.map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const rows = suite.measures.map((measure) => {
    const cells = names.map((name) => cellOf(measure, name)).join("");
    return `<tr><td>${escapeHtml(measureLabel(measure))}</td>${cells}</tr>`;
  });
  return `<div class="scroll"><table><tr><th></th>${head}</tr>${rows.join("")}</table></div>`;
}

function cellOf(measure: MeasureResults, name: string): string {
  const found = placeIn(measure, name);
  if (found === undefined) return "<td>–</td>";
  const { summary, comparison, best } = found;
  const value = formatValue(summary.median, measure.unit);
  const ratio = comparison === null ? "" : ` ${formatRatio(comparison.ratio)}`;
  const spread = `±${formatValue(summary.mad, measure.unit)}, p95 ${formatValue(summary.p95, measure.unit)}, n=${summary.rounds}${summary.noisy ? " ~" : ""}`;
  return `<td${best ? ' class="best"' : ""}>${value}${ratio}<br><small>${spread}</small></td>`;
}

function better(measure: MeasureResults | undefined): string {
  return measure?.better === "more" ? "More is better." : "Less is better.";
}

function hasParameter({ parameter }: MeasureResults): boolean {
  return parameter !== undefined;
}

function hasBar({ summary }: PlaceResults): boolean {
  return summary.median > 0;
}
