import type { App } from "../app.ts";
import { type Event, eventsAfter, lastEvent } from "../store/events.ts";
import { sleep } from "../sys/sleep.ts";
import { Command } from "./command.ts";
import { eventFilter, FILTER_NAMES } from "./events/filter.ts";
import { showEvent, wholeTime } from "./events/show.ts";
import { interruptible, openApp } from "./globals.ts";
import { parseMoment } from "./output/moment.ts";
import { parseTemplate } from "./output/template/parse.ts";
import type { Template } from "./output/template/syntax.ts";
import { each, NONE } from "./run-flags/each.ts";

interface Flags {
  readonly since?: string;
  readonly until?: string;
  readonly filter: readonly string[];
  readonly format?: string;
}

/** Milliseconds between two looks. */
const POLL = 100;

const EXAMPLES = `
Examples:
  $ tsimg events
  $ tsimg events --since 10m --until 0s --filter event=die
  $ tsimg events --format json --filter container=web
  $ tsimg events --since 1h --until 0s --filter type=network
`;

/** `tsimg events`: without a daemon, whoever looks sees what ended. */
export function command(): Command {
  return new Command("events")
    .description("print what happens to containers, images, networks and volumes")
    .option("--since <time>", "begin there: a time, or how long ago, e.g. 10m")
    .option("--until <time>", "end there")
    .option("-f, --filter <name=value>", FILTER_NAMES.join(", "), each, NONE)
    .option("--format <format>", "json, or a template such as '{{.Action}} {{.Actor.ID}}'")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags, command: Command) => {
      using app = openApp(command);
      const fits = eventFilter(flags.filter);
      await interruptible((signal) => follow(app, flags, fits, signal)).catch((error: unknown) => {
        if (!(error instanceof DOMException) && !isAbort(error)) throw error;
      });
    });
}

async function follow(
  app: App,
  flags: Flags,
  fits: (event: Event) => boolean,
  signal: AbortSignal,
) {
  const format = formatOf(flags.format);
  const now = Date.now();
  const since = flags.since === undefined ? undefined : parseMoment(flags.since, "--since", now);
  const until = flags.until === undefined ? undefined : parseMoment(flags.until, "--until", now);
  let seen = since === undefined ? lastEvent(app.database) : 0;
  for (;;) {
    // Looking is what finds out that a container has ended.
    app.containers.clearUp();
    const events = eventsAfter(app.database, seen);
    seen = events.at(-1)?.number ?? seen;
    for (const event of events.toSorted(byTime)) {
      const at = Date.parse(event.time);
      if (at < (since ?? 0) || at > (until ?? Number.POSITIVE_INFINITY) || !fits(event)) continue;
      process.stdout.write(`${showEvent(event, format)}\n`);
    }
    if (until !== undefined && Date.now() >= until) return;
    await sleep(POLL, signal);
  }
}

/** An end is told when somebody looks, with the time when it was. */
function byTime(one: Event, other: Event): number {
  const [a, b] = [wholeTime(one), wholeTime(other)];
  return a < b ? -1 : Number(a > b);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function formatOf(format: string | undefined): Template | "json" | undefined {
  const wanted = format?.trim() ?? "";
  if (wanted === "") return undefined;
  return wanted === "json" || wanted === "{{json .}}" ? "json" : parseTemplate(wanted);
}
