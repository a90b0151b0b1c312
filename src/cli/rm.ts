import type { App } from "../app.ts";
import { removeContainer } from "../runtime/container/remove-container.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { interruptible, openApp } from "./globals.ts";

interface Flags {
  readonly force: boolean;
  readonly volumes: boolean;
}

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
    .option("-v, --volumes", "with the volumes that nobody named", false)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: Flags, command: Command) => {
      using app = openApp(command);
      await removeAll(app, names, flags, command.optsWithGlobals()["debug"] === true);
    });
}

async function removeAll(app: App, names: readonly string[], flags: Flags, debug: boolean) {
  process.exitCode = await interruptible((signal) =>
    eachNamed(names, debug, async (name) => {
      const removed = await removeContainer(
        app.containers,
        name,
        flags.force,
        signal,
        flags.volumes,
      );
      return removed ? name : "";
    }),
  );
}
