import { SUITES } from "../../bench/suites/suites.ts";
import { print } from "../output/print.ts";
import { formatTable } from "../output/table.ts";

const COLUMNS = [{ title: "SUITE" }, { title: "USUAL" }, { title: "QUESTION" }] as const;

/** What there is to measure, and where each workload comes from. */
export function listSuites(format: "table" | "json" | string): void {
  if (format === "json") {
    for (const { name, usual, question, method, source } of SUITES)
      print(
        `${JSON.stringify({ Name: name, Usual: usual, Question: question, Method: method, Source: source })}\n`,
      );
    return;
  }
  const rows = SUITES.flatMap(({ name, usual, question, source }) => [
    [name, usual ? "yes" : "no", question],
    ["", "", `after ${source}`],
  ]);
  print(formatTable(COLUMNS, rows));
}
