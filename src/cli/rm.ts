import type { App } from "../app.ts";
import { removeContainer } from "../runtime/container/remove-container.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { interruptible, openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg rm web
  $ tsimg rm -f $(tsimg ps -aq)
`;

/** `tsimg rm` */
export function command(): Command {
  return new Command("rm")
    .description("remove containers")
    .argument("<container...>", "names or IDs")
    .option("-f, --force", "kill those that run; one that doesn't exist is no error", false)
    .option("-v, --volumes", "accepted for docker's sake: there are no anonymous volumes")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: { force: boolean }, command: Command) => {
      using app = openApp(command);
      await removeAll(app, names, flags.force, command.optsWithGlobals()["debug"] === true);
    });
}

async function removeAll(app: App, names: readonly string[], force: boolean, debug: boolean) {
  process.exitCode = await interruptible((signal) =>
    eachNamed(names, debug, async (name) => {
      const removed = await removeContainer(app.containers, name, force, signal);
      return removed ? name : "";
    }),
  );
}
