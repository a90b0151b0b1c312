import type { RunComparison } from "../../bench/compare/compare-runs.ts";
import { comparisonText } from "../../bench/compare/comparison-text.ts";
import { csvOf } from "../../bench/report/csv.ts";
import { markdownOf } from "../../bench/report/markdown.ts";
import { LEGEND, tableOf } from "../../bench/report/table.ts";
import type { Results } from "../../bench/results/results.ts";
import { verdictTexts } from "../../bench/verdict/verdict-text.ts";
import { print } from "../output/print.ts";

export type ReportFormat = "table" | "json" | "csv" | "markdown";

export function printReport(results: Results, format: ReportFormat): void {
  print(textOf(results, format));
}

/** What has changed, one line a change. */
export function printComparison(comparison: RunComparison, format: ReportFormat): void {
  print(format === "json" ? `${JSON.stringify(comparison)}\n` : comparisonText(comparison));
}

function textOf(results: Results, format: ReportFormat): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(results)}\n`;
    case "csv":
      return csvOf(results);
    case "markdown":
      return markdownOf(results);
    case "table":
      return `${tableOf(results)}\n${LEGEND}\n${verdictLines(results)}`;
  }
}

function verdictLines(results: Results): string {
  const lines = verdictTexts(results).map(({ title, answer }) => `  ${title}: ${answer}\n`);
  return lines.length === 0
    ? ""
    : `\nVerdicts (what each rests on: --format markdown)\n${lines.join("")}`;
}
