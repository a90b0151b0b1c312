import { waitForEnd } from "../runtime/container/wait-for-end.ts";
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
          String(await waitForEnd(app.containers, name, signal)),
        ),
      );
    });
}
