import { followLog, type LogLine } from "../runtime/container/log-file.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";

interface Flags {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tail?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg logs web
  $ tsimg logs -f --tail 20 web
  $ tsimg logs -t web 2>/dev/null
`;

/** `tsimg logs` */
export function command(): Command {
  return new Command("logs")
    .description("print what a detached container has written")
    .argument("<container>", "name or ID")
    .option("-f, --follow", "go on until it ends", false)
    .option("-t, --timestamps", "put its time before each line", false)
    .option("-n, --tail <lines>", "only the last lines, or all")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, flags: Flags, command: Command) => {
      using app = openApp(command);
      const container = app.containers.existing(name);
      const { logFile } = container.options;
      if (logFile === null)
        throw new TsimgError("ERR_STATE", `container '${name}' has no log`, {
          hint: "only containers started with --detach have one",
        });
      // A reader that went away, as `head` does, is no failure.
      process.stdout.on("error", () => process.exit(0));
      await interruptible(async (signal) => {
        const running = () => app.containers.find(container.row.id)?.state.status === "running";
        const lines = followLog(logFile, {
          tail: tailOf(flags.tail),
          follow: flags.follow ? running : undefined,
          signal,
        });
        for await (const line of lines) print(line, flags.timestamps);
      });
    });
}

function print(line: LogLine, timestamps: boolean): void {
  const stream = line.stream === "stderr" ? process.stderr : process.stdout;
  if (timestamps) stream.write(`${line.time} `);
  stream.write(line.text);
}

function tailOf(text: string | undefined): number {
  if (text === undefined || text === "all") return Number.POSITIVE_INFINITY;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new TsimgError("ERR_USAGE", `--tail: '${text}' is neither a number of lines nor "all"`);
}
