import { pauseContainer } from "../runtime/container/pause.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { interruptible, openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg pause web
  $ tsimg pause web db && tsimg unpause web db
`;

/** `tsimg pause` */
export function command(): Command {
  return new Command("pause")
    .description("stop all processes of containers where they stand")
    .argument("<container...>", "names or IDs")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], _flags: object, command: Command) => {
      using app = openApp(command);
      process.exitCode = await interruptible((signal) =>
        eachNamed(names, command.optsWithGlobals()["debug"] === true, async (name) => {
          const container = app.containers.existing(name);
          await pauseContainer(container, signal);
          app.containers.tell(container.row, "pause");
          return name;
        }),
      );
    });
}
