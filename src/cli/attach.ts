import { join } from "node:path";
import { type App, builtProgram } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import { parseDetachKeys } from "../runtime/container/detach-keys.ts";
import { become } from "../sys/become.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";

interface Flags {
  readonly stdin: boolean;
  readonly sigProxy: string;
  readonly detachKeys?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg attach web
  $ tsimg attach --no-stdin --sig-proxy=false web
`;

/** `tsimg attach`: the launcher's own client takes this process's place. */
export function command(): Command {
  return new Command("attach")
    .description("connect the terminal to a container that runs")
    .argument("<container>", "name or ID")
    .option("--no-stdin", "don't connect standard input")
    .option("--sig-proxy <true|false>", "pass signals on to the container", "true")
    .option("--detach-keys <keys>", "typed to leave a terminal (ctrl-p,ctrl-q)")
    .addHelpText("after", EXAMPLES)
    .action((name: string, flags: Flags, command: Command) => {
      const app = openApp(command);
      attachTo(app, app.containers.existing(name), flags);
    });
}

/**
 * Puts the launcher's client in the place of this process.
 *
 * @throws TsimgError ERR_STATE for a container that doesn't run, or whose streams others have
 */
export function attachTo(app: App, { row, options, state }: Container, flags: Flags): void {
  if (state.status !== "running")
    throw new TsimgError("ERR_STATE", `container '${row.name}' is not running`, {
      hint: `start it with "tsimg start ${row.name}"`,
    });
  if (options.logFile === null && !options.tty)
    throw new TsimgError("ERR_STATE", `container '${row.name}' has the streams of who started it`, {
      hint: "only containers started with --detach, with --tty or without --rm can be attached to",
    });
  const keys = parseDetachKeys(flags.detachKeys ?? options.detachKeys) ?? "";
  const letters = [
    options.tty ? "t" : "",
    flags.stdin && options.interactive ? "i" : "",
    flags.sigProxy === "false" ? "" : "s",
  ];
  const socket = join(app.containers.stateDirectory(row.id), "attach.sock");
  const argv = ["tsimg-attach", "--attach", socket, letters.join(""), keys];
  become(builtProgram("launcher"), argv);
}
