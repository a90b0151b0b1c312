import { renameContainer } from "../runtime/container/rename-container.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg rename keen_noether web
`;

/** `tsimg rename` */
export function command(): Command {
  return new Command("rename")
    .description("give a container another name")
    .argument("<container>", "name or ID")
    .argument("<name>", "the new one")
    .addHelpText("after", EXAMPLES)
    .action((container: string, name: string, _flags: object, command: Command) => {
      using app = openApp(command);
      renameContainer(app.containers, app.containers.existing(container).row, name);
    });
}
