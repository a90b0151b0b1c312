import { join } from "node:path";
import { builtProgram } from "../app.ts";
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
      const { row, options, state } = app.containers.existing(name);
      if (state.status !== "running")
        throw new TsimgError("ERR_STATE", `container '${name}' is not running`, {
          hint: `start it with "tsimg start ${name}"`,
        });
      if (options.logFile === null && !options.tty)
        throw new TsimgError("ERR_STATE", `container '${name}' has the streams of who started it`, {
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
    });
}
