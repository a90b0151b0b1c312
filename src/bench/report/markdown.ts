import { placeIn } from "../results/place-in.ts";
import type { MeasureResults, PlaceResults, Results, SuiteResults } from "../results/results.ts";
import { verdictTexts } from "../verdict/verdict-text.ts";
import { machineFacts, methodNotes } from "./facts.ts";
import { formatRatio, formatValue, measureLabel } from "./format-value.ts";

/** The whole report as GitHub shows it. */
export function markdownOf(results: Results): string {
  const blocks = [
    "# Storage drivers compared",
    verdictSection(results),
    "## The machine",
    list(machineFacts(results).map(([name, value]) => `**${name}**: ${value}`)),
    "## How to read the figures",
    list(methodNotes(results)),
    ...results.suites.map(suiteSection),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function verdictSection(results: Results): string {
  const verdicts = verdictTexts(results);
  if (verdicts.length === 0) return "";
  const lines = verdicts.flatMap(({ title, answer, reasons }) => [
    `- **${title}**: ${escaped(answer)}`,
    ...reasons.map((reason) => `  - ${escaped(reason)}`),
  ]);
  return ["## Verdicts", lines.join("\n")].join("\n\n");
}

function suiteSection(suite: SuiteResults): string {
  const names = [...new Set(suite.measures.flatMap(({ places }) => places.map((it) => it.place)))];
  const rows = suite.measures.map((measure) => [
    measureLabel(measure),
    ...names.map((name) => {
      const found = placeIn(measure, name);
      return found === undefined ? "–" : cellOf(found, measure);
    }),
  ]);
  const notes = suite.notes.map(({ place, text }) => `${place}: ${text}`);
  return [
    `## ${suite.name}`,
    `${suite.question} ${suite.method} After ${suite.source}.`,
    tableOf([["", ...names], ...rows]),
    ...(notes.length === 0 ? [] : [list(notes.map(escaped))]),
  ].join("\n\n");
}

/** Median and ratio; below them how sure they are. */
function cellOf({ summary, comparison, best }: PlaceResults, { unit }: MeasureResults): string {
  const value = formatValue(summary.median, unit);
  const ratio = comparison === null ? "" : ` ${formatRatio(comparison.ratio)}`;
  const p95 = formatValue(summary.p95, unit);
  const spread = `${summary.noisy ? "~" : ""}±${formatValue(summary.mad, unit)}`;
  return `${best ? `**${value}**` : value}${ratio}<br>${spread}, p95 ${p95}, n=${summary.rounds}`;
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((row) => `| ${row.map(escaped).join(" | ")} |`);
  const columns = rows[0]?.length ?? 0;
  return [head, `| ${Array.from({ length: columns }, () => "---").join(" | ")} |`, ...body].join(
    "\n",
  );
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}
