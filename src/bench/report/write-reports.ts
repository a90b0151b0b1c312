import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Results } from "../results/results.ts";
import { csvOf } from "./csv.ts";
import { htmlOf } from "./html/html-report.ts";
import { markdownOf } from "./markdown.ts";

/**
 * Writes results.json, results.csv, report.md and report.html. Each is there as a whole or not.
 * @returns their paths
 */
export function writeReports(directory: string, results: Results): readonly string[] {
  mkdirSync(directory, { recursive: true });
  const files = {
    "results.json": `${JSON.stringify(results, undefined, 1)}\n`,
    "results.csv": csvOf(results),
    "report.md": markdownOf(results),
    "report.html": htmlOf(results),
  };
  return Object.entries(files).map(([name, text]) => {
    const path = join(directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  });
}
