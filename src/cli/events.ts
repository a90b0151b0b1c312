import type { App } from "../app.ts";
import { type Event, eventsAfter, lastEvent } from "../runtime/container/events.ts";
import { TsimgError } from "../sys/error.ts";
import { sleep } from "../sys/sleep.ts";
import { Command } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";
import { parseMoment } from "./output/moment.ts";
import { evaluate, parseTemplate } from "./output/template.ts";
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
`;

/** `tsimg events`: without a daemon, whoever looks sees what ended. */
export function command(): Command {
  return new Command("events")
    .description("print what happens to containers")
    .option("--since <time>", "begin there: a time, or how long ago, e.g. 10m")
    .option("--until <time>", "end there")
    .option("-f, --filter <name=value>", "type, event, container, image, label", each, NONE)
    .option("--format <format>", "json, or a template such as '{{.Action}} {{.Actor.ID}}'")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags, command: Command) => {
      using app = openApp(command);
      const fits = parseFilters(flags.filter);
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
  const now = Date.now();
  const since = flags.since === undefined ? undefined : parseMoment(flags.since, "--since", now);
  const until = flags.until === undefined ? undefined : parseMoment(flags.until, "--until", now);
  let seen = since === undefined ? lastEvent(app.database) : 0;
  for (;;) {
    // Looking is what finds out that a container has ended.
    app.containers.clearUp();
    for (const event of eventsAfter(app.database, seen)) {
      seen = event.number;
      const at = Date.parse(event.time);
      if (at < (since ?? 0) || at > (until ?? Number.POSITIVE_INFINITY) || !fits(event)) continue;
      process.stdout.write(`${show(event, flags.format)}\n`);
    }
    if (until !== undefined && Date.now() >= until) return;
    await sleep(POLL, signal);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function show(event: Event, format: string | undefined): string {
  const { type, action, actor, attributes, time } = event;
  const at = Date.parse(time);
  const object = {
    Type: type,
    Action: action,
    Actor: { ID: actor, Attributes: attributes },
    time: Math.floor(at / 1000),
    timeNano: at * 1e6,
  };
  if (format === "json" || format === "{{json .}}") return JSON.stringify(object);
  if (format !== undefined) return evaluate(parseTemplate(format), object);
  const details = Object.entries(attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  return `${time} ${type} ${action} ${actor} (${details.join(", ")})`;
}

function parseFilters(filters: readonly string[]): (event: Event) => boolean {
  const groups = new Map<string, string[]>();
  for (const filter of filters) {
    const equals = filter.indexOf("=");
    const name = filter.slice(0, equals);
    if (equals <= 0 || !Object.hasOwn(TESTS, name))
      throw new TsimgError("ERR_USAGE", `invalid filter "${filter.slice(0, 64)}"`, {
        hint: `write name=value; names: ${Object.keys(TESTS).join(", ")}`,
      });
    groups.set(name, [...(groups.get(name) ?? []), filter.slice(equals + 1)]);
  }
  // As docker: values of one name are alternatives, names must all fit.
  return (event) =>
    [...groups].every(([name, values]) => values.some((value) => TESTS[name]?.(event, value)));
}

const TESTS: Readonly<Record<string, (event: Event, value: string) => boolean>> = {
  type: ({ type }, value) => type === value,
  event: ({ action }, value) => action === value,
  container: (event, value) => event.type === "container" && names(event, value),
  network: (event, value) => event.type === "network" && names(event, value),
  volume: (event, value) => event.type === "volume" && names(event, value),
  image: ({ type, actor, attributes }, value) =>
    type === "image" ? actor === value : attributes["image"] === value,
  label: ({ attributes }, value) => {
    const [name = "", wanted] = value.split("=", 2);
    return Object.hasOwn(attributes, name) && (wanted === undefined || attributes[name] === wanted);
  },
};

function names({ actor, attributes }: Event, value: string): boolean {
  return attributes["name"] === value || (value.length > 0 && actor.startsWith(value));
}
