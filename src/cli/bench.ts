import { builtProgram } from "../app.ts";
import { compareRuns } from "../bench/compare/compare-runs.ts";
import { everyDriver, parseWishes } from "../bench/place/wishes.ts";
import type { BenchRequest } from "../bench/process/request.ts";
import { runBench } from "../bench/process/run-bench.ts";
import { ResultsMaker } from "../bench/results/make-results.ts";
import type { Results } from "../bench/results/results.ts";
import { suitesNamed } from "../bench/suites/suites.ts";
import { TsimgError } from "../sys/error.ts";
import { listSuites } from "./bench/list-suites.ts";
import { parseBudget, parseCounts, parseRuns } from "./bench/parse-flags.ts";
import { printComparison, printReport, type ReportFormat } from "./bench/print-report.ts";
import { BenchProgress } from "./bench/progress.ts";
import { twoInterrupts } from "./bench/two-interrupts.ts";
import { Command, Option } from "./command.ts";
import { openApp } from "./globals.ts";
import { requireRoot } from "./require-root.ts";
import { VERSION } from "./version.ts";

interface Flags {
  readonly driver?: string;
  readonly layers: readonly number[];
  readonly parallel: readonly number[];
  readonly cache: "cold" | "warm";
  readonly image?: string;
  readonly runs?: number;
  readonly timeBudget: number;
  readonly seed: number;
  readonly format: ReportFormat;
  readonly out?: string;
  readonly compare?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg bench
  $ tsimg bench ls
  $ tsimg bench all --time-budget 1h --out report
  $ tsimg bench compare old/results.json new/results.json
  $ tsimg bench copyup depth --driver overlay2,btrfs --time-budget 2m
`;

/** `tsimg bench`: what it measures stands in src/bench. */
export function command(): Command {
  return new Command("bench")
    .description("measure storage drivers against each other, on this machine")
    .argument("[suite...]", "what to measure: ls lists it, all is everything; or compare OLD NEW")
    .option("--driver <a,b,c>", "drivers, each with :POOL if you like (default: all that work)")
    .option("--image <ref>", "run this image, from the store or its registry, not a generated one")
    .option("--layers <n,...>", "how deep stacks are", parseCounts, [1, 16, 50, 100, 300])
    .option("--parallel <n,...>", "how many containers at once", parseCounts, [1, 10, 50])
    .addOption(
      new Option("--cache <state>", "what the machine's caches hold before a round")
        .choices(["cold", "warm"])
        .default("warm"),
    )
    .addOption(new Option("--runs <n>", "exactly so many rounds").argParser(parseRuns))
    .addOption(
      new Option("--time-budget <time>", "how long all of it may take, e.g. 90s, 10m")
        .argParser(parseBudget)
        .default(600_000, "10m"),
    )
    .addOption(
      new Option("--seed <n>", "of generated content").argParser(parseRuns).default(1, "1"),
    )
    .addOption(
      new Option("--format <format>", "how the results are printed")
        .choices(["table", "json", "csv", "markdown"])
        .default("table"),
    )
    .option("--out <dir>", "also write results.json, results.csv, report.md and report.html")
    .option("--compare <results.json>", "say what has changed since that run")
    .addHelpText("after", EXAMPLES)
    .action(async (words: string[], flags: Flags, command: Command) => {
      const [action, ...files] = words;
      if (action === "ls" && files.length === 0) listSuites(flags.format);
      else if (action === "compare") await compareFiles(files, flags.format);
      else await bench(words, flags, command);
    });
}

async function bench(words: readonly string[], flags: Flags, command: Command): Promise<void> {
  const suites = suitesNamed(words);
  const before = flags.compare === undefined ? undefined : await readEarlier(flags.compare);
  const wishes = flags.driver === undefined ? everyDriver() : parseWishes(flags.driver);
  requireRoot("measuring storage drivers");
  const { paths } = openApp(command);
  const request: BenchRequest = {
    root: paths.root,
    suites: suites.map(({ name }) => name),
    wishes,
    strict: flags.driver !== undefined,
    workload: {
      seed: flags.seed,
      cache: flags.cache,
      layers: flags.layers,
      parallel: flags.parallel,
      image: flags.image,
    },
    budget: flags.timeBudget,
    runs: flags.runs,
  };
  const results = new ResultsMaker(VERSION, request, suites);
  const progress = new BenchProgress(process.stderr, suites);
  using interrupts = twoInterrupts(() => progress.stopping());
  let failure: unknown;
  try {
    await runBench({
      program: builtProgram("bench.cjs"),
      request,
      stop: interrupts.first,
      kill: interrupts.second,
      onMessage(message) {
        results.add(message);
        progress.show(message);
      },
    });
  } catch (error) {
    failure = error;
  } finally {
    progress.close();
  }
  // What was measured is worth showing, also when the end was a bad one.
  if (results.hasFigures) await report(results.make(), before, flags);
  if (failure !== undefined) throw failure;
  if (interrupts.first.aborted) process.exitCode = 130;
}

/** Before anything is measured: a mistake is told at once. */
async function readEarlier(path: string): Promise<Results> {
  const { readResults } = await import("../bench/results/parse-results.ts");
  return readResults(path);
}

/** Two runs that have been, by their files. */
async function compareFiles(files: readonly string[], format: ReportFormat): Promise<void> {
  const [before, after] = files;
  if (before === undefined || after === undefined || files.length > 2)
    throw new TsimgError("ERR_USAGE", `bench compare takes two files, not ${files.length}`, {
      hint: "tsimg bench compare old/results.json new/results.json",
    });
  printComparison(compareRuns(await readEarlier(before), await readEarlier(after)), format);
}

async function report(
  results: Results,
  before: Results | undefined,
  { format, out }: Flags,
): Promise<void> {
  printReport(results, format);
  if (before !== undefined) printComparison(compareRuns(before, results), format);
  if (out === undefined) return;
  // Charts come from a library that is larger than all the rest of tsimg.
  const { writeReports } = await import("../bench/report/write-reports.ts");
  for (const path of writeReports(out, results)) process.stderr.write(`wrote ${path}\n`);
}
