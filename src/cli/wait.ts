import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type App, builtProgram } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import { waitForEnd } from "../runtime/container/signals.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { interruptible, openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg wait build
  $ test "$(tsimg wait build)" = 0
`;

/** `tsimg wait` */
export function command(): Command {
  return new Command("wait")
    .description("wait until containers have ended, and print their exit statuses")
    .argument("<container...>", "names or IDs")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], _flags: object, command: Command) => {
      using app = openApp(command);
      const debug = command.optsWithGlobals()["debug"] === true;
      process.exitCode = await interruptible((signal) =>
        eachNamed(names, debug, async (name) =>
          String(await exitStatus(app, app.containers.existing(name), signal)),
        ),
      );
    });
}

/**
 * What is removed as it ends leaves no record: its launcher tells who is connected to it.
 * Only a container of `run --rm` with its caller's own streams has nobody to ask.
 */
async function exitStatus(app: App, container: Container, signal: AbortSignal): Promise<number> {
  const { row, options, state } = container;
  const isAsked = row.auto_remove === 1 && (options.logFile !== null || options.tty);
  if (!isAsked || state.status !== "running") return waitForEnd(app.containers, row.id, signal);
  const socket = join(app.containers.stateDirectory(row.id), "attach.sock");
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const argv = ["--attach", socket, "", ""];
  const client = spawn(builtProgram("launcher"), argv, { stdio: [...stdio], signal });
  const complaint = text(client.stderr);
  const [status] = (await once(client, "close", { signal })) as [number | null];
  if (status !== null && (await complaint) === "") return status;
  // It had ended before anybody could be asked.
  app.containers.existing(row.id);
  return waitForEnd(app.containers, row.id, signal);
}
