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
