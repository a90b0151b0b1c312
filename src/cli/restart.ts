import { stopContainer } from "../runtime/container/signals.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { interruptible, openApp } from "./globals.ts";
import { requireRoot } from "./require-root.ts";
import { startDetached } from "./start-again.ts";
import { type StopFlags, stopOptions, stopWish } from "./stop.ts";

const EXAMPLES = `
Examples:
  $ tsimg restart web
  $ tsimg restart -t 1 db web
`;

/** `tsimg restart` */
export function command(): Command {
  const restart = new Command("restart")
    .description("stop containers and start them again")
    .argument("<container...>", "names or IDs");
  return stopOptions(restart)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: StopFlags, command: Command) => {
      requireRoot("restarting a container");
      using app = openApp(command);
      const wish = stopWish(flags);
      const debug = command.optsWithGlobals()["debug"] === true;
      process.exitCode = await interruptible((signal) =>
        eachNamed(names, debug, async (name) => {
          const { row } = app.containers.existing(name);
          await stopContainer(app.containers, row.id, wish, signal);
          await startDetached(app, row.id);
          app.containers.tell(row, "restart");
          return name;
        }),
      );
    });
}
