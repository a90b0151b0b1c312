import { parseSignal, type StopWish, stopContainer } from "../runtime/container/signals.ts";
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
  const stop = new Command("stop")
    .description("ask containers to stop, and kill them when they don't")
    .argument("<container...>", "names or IDs");
  return stopOptions(stop)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: StopFlags, command: Command) => {
      const wish = stopWish(flags);
      using app = openApp(command);
      process.exitCode = await interruptible((signal) =>
        eachNamed(names, command.optsWithGlobals()["debug"] === true, async (name) => {
          await stopContainer(app.containers, name, wish, signal);
          return name;
        }),
      );
    });
}

export interface StopFlags {
  readonly timeout?: number;
  readonly time?: number;
  readonly signal?: string;
}

/** How `stop` and `restart` ask a container to stop. */
export function stopOptions(command: Command): Command {
  return command
    .option("-t, --timeout <seconds>", "how long to wait before killing", seconds, undefined)
    .option("--time <seconds>", "the same as --timeout", seconds, undefined)
    .option("-s, --signal <signal>", "asks it to stop, in place of its own");
}

/** @throws TsimgError ERR_USAGE */
export function stopWish({ timeout, time, signal }: StopFlags): StopWish {
  const seconds = timeout ?? time;
  return {
    ...(seconds === undefined ? {} : { seconds }),
    ...(signal === undefined ? {} : { signal: parseSignal(signal) }),
  };
}

/** A parser of an option. */
function seconds(text: string): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < -1)
    throw new InvalidArgumentError("it is a number of seconds");
  return value;
}
