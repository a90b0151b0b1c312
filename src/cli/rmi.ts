import { removeImage } from "../image/remove-image.ts";
import { removeUnpacked } from "../image/remove-unpacked.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { openApp } from "./globals.ts";
import { copyIn } from "./storage-flags.ts";

interface Flags {
  readonly force: boolean;
  readonly driver?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg rmi alpine
  $ tsimg rmi -f 3f57d9401f8d
  $ tsimg rmi --driver zfs alpine               only the copy that is unpacked in zfs
`;

/** `tsimg rmi` */
export function command(): Command {
  return new Command("rmi")
    .description("remove images, and the layers that nothing else needs")
    .argument("<image...>", "names or IDs")
    .option("-f, --force", "also an image with several names, or one that is in use", false)
    .option("--no-prune", "accepted and without effect: there are no parents without a name")
    .option("--driver <name>", "remove only what is unpacked in this driver")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: Flags, command: Command) => {
      const { driver, force } = flags;
      using app = openApp(command);
      app.containers.clearUp();
      process.exitCode = await eachNamed(
        names,
        command.optsWithGlobals()["debug"] === true,
        (name) => {
          const lines =
            driver === undefined
              ? removeImage(app, name, force)
              : removeUnpacked(app, name, copyIn(app, driver));
          return lines.join("\n");
        },
      );
    });
}
