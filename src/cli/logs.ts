import type { App } from "../app.ts";
import { followLog } from "../runtime/container/log-file.ts";
import type { LogLine } from "../runtime/container/log-line.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";
import { parseMoment } from "./output/moment.ts";

interface Flags {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly until?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg logs web
  $ tsimg logs -f --tail 20 web
  $ tsimg logs --since 10m --until 5m web
  $ tsimg logs -t web 2>/dev/null
`;

/** `tsimg logs` */
export function command(): Command {
  return new Command("logs")
    .description("print what a container has written")
    .argument("<container>", "name or ID")
    .option("-f, --follow", "go on until it ends for good", false)
    .option("-t, --timestamps", "put its time before each line", false)
    .option("-n, --tail <lines>", "only the last lines, or all")
    .option("--details", "accepted and without effect: a log's lines have no details here")
    .option("--since <time>", "only what is newer: a time, or how long ago, e.g. 10m")
    .option("--until <time>", "only what is older")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, flags: Flags, command: Command) => {
      using app = openApp(command);
      const container = app.containers.existing(name);
      const { logFile } = container.options;
      if (logFile === null)
        throw new TsimgError("ERR_STATE", `container '${name}' has no log`, {
          hint: "none is kept of a run with --rm in the foreground, and with --log-driver none",
        });
      const now = Date.now();
      const since = flags.since === undefined ? 0 : parseMoment(flags.since, "--since", now);
      const until =
        flags.until === undefined
          ? Number.POSITIVE_INFINITY
          : parseMoment(flags.until, "--until", now);
      // A reader that went away, as `head` does, is no failure.
      process.stdout.on("error", () => process.exit(0));
      await interruptible(async (signal) => {
        const goesOn = () => Date.now() <= until && mayWrite(app, container.row.id);
        const lines = followLog(logFile, {
          tail: tailOf(flags.tail),
          follow: flags.follow ? goesOn : undefined,
          signal,
        });
        for await (const line of lines) {
          const time = Date.parse(line.time);
          if (since <= time && time <= until) print(line, flags.timestamps);
        }
      });
    });
}

/** Also between two starts. */
function mayWrite(app: App, id: string): boolean {
  const state = app.containers.find(id)?.state;
  if (state?.status === "created") return state.starting;
  return state?.status === "running" || state?.status === "restarting";
}

function print(line: LogLine, timestamps: boolean): void {
  const stream = line.stream === "stderr" ? process.stderr : process.stdout;
  if (timestamps) stream.write(`${line.time} `);
  stream.write(line.text);
}

function tailOf(text: string | undefined): number {
  if (text === undefined || text === "all") return Number.POSITIVE_INFINITY;
  const count = Number(text);
  // As with docker: fewer than none are all.
  if (Number.isInteger(count) && text !== "") return count < 0 ? Number.POSITIVE_INFINITY : count;
  throw new TsimgError("ERR_USAGE", `--tail: '${text}' is neither a number of lines nor "all"`);
}
