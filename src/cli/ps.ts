import type { App } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import { healthOf, readHealthLog } from "../runtime/container/health.ts";
import { healthLog } from "../runtime/container/health-log.ts";
import { publishedPorts } from "../runtime/network/network-settings.ts";
import { portsColumn } from "../runtime/network/ports-column.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { formatAge, formatDuration } from "./output/duration.ts";
import { type Listing, renderRows } from "./output/format.ts";
import { print } from "./output/print.ts";
import { ellipsis, shortId } from "./output/shorten.ts";
import { formatSize } from "./output/size.ts";

interface Flags {
  readonly all?: true;
  readonly quiet?: true;
  readonly size?: true;
  readonly trunc: boolean;
  readonly last?: string;
  readonly latest?: true;
  readonly format?: string;
}

const TITLES = {
  ID: "CONTAINER ID",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  State: "STATE",
  Status: "STATUS",
  Ports: "PORTS",
  Names: "NAMES",
  Size: "SIZE",
} as const;

type Field = keyof typeof TITLES;

const TABLE =
  "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

const EXAMPLES = `
Examples:
  $ tsimg ps
  $ tsimg ps -a --no-trunc
  $ tsimg ps -aq
  $ tsimg ps --format '{{.Names}}: {{.Status}}'
`;

/** `tsimg ps` */
export function command(): Command {
  return new Command("ps")
    .description("list containers")
    .option("-a, --all", "also those that don't run")
    .option("-q, --quiet", "print IDs only")
    .option("-s, --size", "show what each has written")
    .option("-n, --last <n>", "the last n containers, running or not")
    .option("-l, --latest", "the last container, running or not")
    .option("--no-trunc", "show whole IDs and commands")
    .option("--format <format>", "table, json, or a template such as '{{.Names}} {{.State}}'")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags, command: Command) => {
      using app = openApp(command);
      const last = flags.latest ? 1 : Number(flags.last ?? Number.NaN);
      const all = app.containers.list();
      const shown = Number.isNaN(last)
        ? all.filter(({ state }) => flags.all === true || state.status === "running")
        : all.slice(0, last);
      const listing: Listing<Field> = {
        titles: TITLES,
        table: flags.size ? `${TABLE}\t{{.Size}}` : TABLE,
      };
      const withSize = flags.size === true || flags.format?.includes(".Size") === true;
      const ports = publishedPorts(app.database);
      const rows = shown.map((container) => row(app, container, ports, !flags.trunc, withSize));
      print(renderRows(listing, rows, flags));
    });
}

function row(
  app: App,
  container: Container,
  ports: ReturnType<typeof publishedPorts>,
  noTrunc: boolean,
  withSize: boolean,
): Readonly<Record<Field, string>> {
  const { row, options, state } = container;
  const line = commandOf(options.command);
  return {
    ID: shortId(row.id, noTrunc),
    Image: row.image,
    Command: JSON.stringify(noTrunc ? line : ellipsis(line, 20)),
    CreatedAt: row.created,
    RunningFor: formatAge(Date.now() - Date.parse(row.created)),
    State: state.status === "running" && state.paused ? "paused" : state.status,
    Status: statusOf(app, container),
    Ports: portsColumn(ports.get(row.id) ?? [], options.exposed),
    Names: row.name,
    Size: withSize ? formatSize(app.snapshots.usage(row.snapshot).bytes) : "",
  };
}

/** As docker shows it: words with spaces between single quotes, cut before it is quoted. */
function commandOf([program = "", ...words]: readonly string[]): string {
  return [program, ...words.map((word) => (word.includes(" ") ? `'${word}'` : word))].join(" ");
}

/** As docker words it: "Up 3 minutes", "Exited (0) 2 hours ago". */
function statusOf(app: App, { row, options, state }: Container): string {
  const since = (time: string) => Date.now() - Date.parse(time);
  if (state.status === "created") return "Created";
  if (state.status === "running") {
    const note = state.paused
      ? "Paused"
      : healthNote(app, row.id, options, state.started.startedAt);
    return `Up ${formatDuration(since(state.started.startedAt))}${note && ` (${note})`}`;
  }
  const { exitCode, finishedAt } = state.exit;
  const ended = state.status === "restarting" ? "Restarting" : "Exited";
  return `${ended} (${exitCode}) ${formatAge(since(finishedAt))}`;
}

function healthNote(
  app: App,
  id: string,
  { health }: Container["options"],
  started: string,
): string {
  if (health === null) return "";
  const log = readHealthLog(healthLog(app.containers.stateDirectory(id)));
  const { Status } = healthOf(health, log, started);
  return Status === "starting" ? "health: starting" : Status;
}
