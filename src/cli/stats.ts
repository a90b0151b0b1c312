import type { App } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import { requireMeasurable, type Sample, takeSample } from "../runtime/container/sample.ts";
import { tolerating } from "../sys/errno.ts";
import { sleep } from "../sys/sleep.ts";
import { Command } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";
import { renderRows } from "./output/format.ts";
import { print } from "./output/print.ts";
import { LiveTable } from "./stats/live-table.ts";
import { LISTING, statsRow } from "./stats/row.ts";

interface Flags {
  readonly all?: true;
  readonly stream: boolean;
  readonly trunc: boolean;
  readonly format?: string;
}

/** Milliseconds between two looks, and so what percentages are of. */
const INTERVAL = 1000;

const EXAMPLES = `
Examples:
  $ tsimg stats
  $ tsimg stats --no-stream web db
  $ tsimg stats --no-stream --format '{{.Name}} {{.MemUsage}}'
`;

/** `tsimg stats` */
export function command(): Command {
  return new Command("stats")
    .description("show what containers use, anew each second")
    .argument("[container...]", "names or IDs; all that run unless given")
    .option("-a, --all", "also those that don't run")
    .option("--no-stream", "show it once")
    .option("--no-trunc", "show whole IDs")
    .option("--format <format>", "table, json, or a template such as '{{.Name}} {{.CPUPerc}}'")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: Flags, command: Command) => {
      using app = openApp(command);
      // Before the first second has passed, so that a mistake shows at once.
      renderRows(LISTING, [], flags);
      const named = names.map((name) => app.containers.existing(name));
      for (const container of named) requireMeasurable(container);
      const ids = named.map(({ row }) => row.id);
      await interruptible((signal) => show(app, ids, flags, signal));
    });
}

async function show(
  app: App,
  ids: readonly string[],
  flags: Flags,
  signal: AbortSignal,
): Promise<void> {
  const onTerminal = flags.stream && process.stdout.isTTY;
  using live = onTerminal ? new LiveTable(process.stdout) : undefined;
  let before = samples(app, ids, flags.all === true);
  do {
    await sleep(INTERVAL, signal);
    const now = samples(app, ids, flags.all === true);
    const text = renderRows(LISTING, rows(before, now, !flags.trunc), flags);
    if (live !== undefined) live.draw(text);
    // A reader that went away, as `head` does, is no failure.
    else if (tolerating(["EPIPE"], () => print(text) ?? true) === undefined) return;
    before = now;
  } while (flags.stream && isWorthwhile(before, ids));
}

function samples(app: App, ids: readonly string[], all: boolean): readonly Sample[] {
  const chosen: readonly Container[] =
    ids.length === 0 ? app.containers.list() : ids.flatMap((id) => app.containers.find(id) ?? []);
  const shown = chosen.filter(({ state }) => all || ids.length > 0 || state.status === "running");
  return shown.map(takeSample);
}

function rows(before: readonly Sample[], now: readonly Sample[], noTrunc: boolean) {
  const earlier = new Map(before.map((sample) => [sample.id, sample]));
  return now.map((sample) => statsRow(earlier.get(sample.id), sample, noTrunc));
}

/** Containers that were named and are gone don't come back; others may. */
function isWorthwhile(seen: readonly Sample[], ids: readonly string[]): boolean {
  return ids.length === 0 || seen.some(({ used }) => used !== undefined);
}
