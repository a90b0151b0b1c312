import type { ContainerRow } from "../runtime/container/container.ts";
import { stopContainer } from "../runtime/container/signals.ts";
import { TsimgError } from "../sys/error.ts";
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
          refuseRemoved(row);
          await stopContainer(app.containers, row.id, wish, signal);
          await startDetached(app, row.id);
          app.containers.tell(row, "restart");
          return name;
        }),
      );
    });
}

/** What a launcher removes at the end is on its tape: there is nothing left to start then. */
function refuseRemoved({ name, auto_remove }: ContainerRow): void {
  if (auto_remove === 0) return;
  throw new TsimgError("ERR_STATE", `container '${name}' is removed when it stops`, {
    hint: "it was made with --rm: stop it and run another",
  });
}
