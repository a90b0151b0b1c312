import { unpauseContainer } from "../runtime/container/pause.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg unpause web
`;

/** `tsimg unpause` */
export function command(): Command {
  return new Command("unpause")
    .description("let paused containers go on")
    .argument("<container...>", "names or IDs")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], _flags: object, command: Command) => {
      using app = openApp(command);
      const debug = command.optsWithGlobals()["debug"] === true;
      process.exitCode = await eachNamed(names, debug, (name) => {
        const container = app.containers.existing(name);
        unpauseContainer(container);
        app.containers.tell(container.row, "unpause");
        return name;
      });
    });
}
