import { builtProgram } from "../app.ts";
import { everyDriver, parseWishes } from "../bench/place/wishes.ts";
import type { BenchRequest } from "../bench/process/request.ts";
import { runBench } from "../bench/process/run-bench.ts";
import { ResultsMaker } from "../bench/results/make-results.ts";
import { suitesNamed } from "../bench/suites/suites.ts";
import { listSuites } from "./bench/list-suites.ts";
import { parseBudget, parseCounts, parseRuns } from "./bench/parse-flags.ts";
import { printReport, type ReportFormat } from "./bench/print-report.ts";
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
  readonly runs?: number;
  readonly timeBudget: number;
  readonly seed: number;
  readonly format: ReportFormat;
}

const EXAMPLES = `
Examples:
  $ tsimg bench
  $ tsimg bench ls
  $ tsimg bench copyup depth --driver overlay2,btrfs --time-budget 2m
`;

/** `tsimg bench`: what it measures stands in src/bench. */
export function command(): Command {
  return new Command("bench")
    .description("measure storage drivers against each other, on this machine")
    .argument("[suite...]", "what to measure; ls lists it, all is everything")
    .option("--driver <a,b,c>", "drivers, each with :POOL if you like (default: all that work)")
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
        .choices(["table", "json"])
        .default("table"),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (words: string[], flags: Flags, command: Command) => {
      if (words[0] === "ls" && words.length === 1) {
        listSuites(flags.format);
        return;
      }
      await bench(words, flags, command);
    });
}

async function bench(words: readonly string[], flags: Flags, command: Command): Promise<void> {
  const suites = suitesNamed(words);
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
  if (results.hasFigures) printReport(results.make(), flags.format);
  if (failure !== undefined) throw failure;
  if (interrupts.first.aborted) process.exitCode = 130;
}
