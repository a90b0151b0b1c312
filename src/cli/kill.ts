import { killContainer, parseSignal } from "../runtime/container/signals.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg kill web
  $ tsimg kill -s HUP web
`;

/** `tsimg kill` */
export function command(): Command {
  return new Command("kill")
    .description("send a signal to running containers")
    .argument("<container...>", "names or IDs")
    .option("-s, --signal <signal>", "signal to send", "KILL")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: { signal: string }, command: Command) => {
      using app = openApp(command);
      const signal = parseSignal(flags.signal || "KILL");
      process.exitCode = await eachNamed(
        names,
        command.optsWithGlobals()["debug"] === true,
        (name) => {
          killContainer(app.containers, app.containers.existing(name), signal);
          return name;
        },
      );
    });
}
