import { removeImage } from "../image/remove-image.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { openApp } from "./globals.ts";

const EXAMPLES = `
Examples:
  $ tsimg rmi alpine
  $ tsimg rmi -f 3f57d9401f8d
`;

/** `tsimg rmi` */
export function command(): Command {
  return new Command("rmi")
    .description("remove images, and the layers that nothing else needs")
    .argument("<image...>", "names or IDs")
    .option("-f, --force", "also an image with several names, or that a container is of", false)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: { force: boolean }, command: Command) => {
      using app = openApp(command);
      app.containers.clearUp();
      process.exitCode = await eachNamed(
        names,
        command.optsWithGlobals()["debug"] === true,
        (name) => removeImage(app, name, flags.force).join("\n"),
      );
    });
}
