import { LEGEND, tableOf } from "../../bench/report/table.ts";
import type { Results } from "../../bench/results/results.ts";
import { print } from "../output/print.ts";

export type ReportFormat = "table" | "json";

export function printReport(results: Results, format: ReportFormat): void {
  if (format === "json") print(`${JSON.stringify(results)}\n`);
  else print(`${tableOf(results)}\n${LEGEND}\n`);
}
