import { stopContainer } from "../runtime/container/signals.ts";
import { Command, InvalidArgumentError } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { interruptible, openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg stop web
  $ tsimg stop -t 30 db web
`;

/** `tsimg stop` */
export function command(): Command {
  return new Command("stop")
    .description("ask containers to stop, and kill them when they don't")
    .argument("<container...>", "names or IDs")
    .option("-t, --time <seconds>", "how long to wait before killing", seconds, undefined)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: { time?: number }, command: Command) => {
      using app = openApp(command);
      process.exitCode = await interruptible((signal) =>
        eachNamed(names, command.optsWithGlobals()["debug"] === true, async (name) => {
          await stopContainer(app.containers, name, flags.time, signal);
          return name;
        }),
      );
    });
}

/** A parser of an option. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < -1)
    throw new InvalidArgumentError("it is a number of seconds");
  return value;
}
