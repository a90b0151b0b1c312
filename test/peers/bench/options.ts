import { parseArgs } from "node:util";
import type { Backing } from "./arena.ts";

export const SUITES = [
  ...(["pull", "unpack", "run", "bridge", "detached", "memory"] as const),
  ...(["list", "uptodate", "file", "resume", "drivers"] as const),
] as const;
export type SuiteName = (typeof SUITES)[number];

export interface BenchOptions {
  readonly only: readonly SuiteName[];
  /** Rounds that count, or undefined for each suite's own number. */
  readonly runs: number | undefined;
  readonly backing: Backing;
  /** Of the file system for the stores, GiB. */
  readonly size: number;
  /** A file for all single values. */
  readonly json: string | undefined;
}

export const USAGE = `usage: npm run bench:peers -- [options]

  --only LIST    suites to run, of ${SUITES.join(",")} (default: all)
  --runs N       rounds that count (default: 5; 20 for run and list, 3 for memory, file, drivers)
  --tmpfs        stores on tmpfs instead of a fresh ext4
  --size GIB     size of the file system for the stores (default 12)
  --json FILE    write every single value there`;

/** @throws Error for what can't be understood */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string", default: SUITES.join(",") },
      runs: { type: "string" },
      tmpfs: { type: "boolean", default: false },
      size: { type: "string", default: "12" },
      json: { type: "string" },
    },
  });
  return {
    only: values.only.split(",").map(suiteName),
    runs: values.runs === undefined ? undefined : positive("--runs", values.runs),
    backing: values.tmpfs ? "tmpfs" : "ext4",
    size: positive("--size", values.size),
    json: values.json,
  };
}

function suiteName(text: string): SuiteName {
  const found = SUITES.find((suite) => suite === text);
  if (!found) throw new Error(`--only: "${text}" is none of ${SUITES.join(", ")}`);
  return found;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${flag}: "${text}" is not a positive whole number`);
  }
  return value;
}
