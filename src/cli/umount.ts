import { ImageMounts } from "../image/image-mounts.ts";
import { unmountImage } from "../image/unmount-image.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { openApp } from "./globals.ts";
import { requireRoot } from "./require-root.ts";

const EXAMPLES = `
Examples:
  $ tsimg umount /mnt
  $ tsimg umount alpine
  $ tsimg umount --all
`;

/** `tsimg umount` */
export function command(): Command {
  return new Command("umount")
    .description("take mounted images off the file system again")
    .argument("[directory|image...]", "where it is mounted, or an image, all of whose mounts go")
    .option("-a, --all", "all that are mounted", false)
    .addHelpText("after", EXAMPLES)
    .action(async (names: readonly string[], flags: { all: boolean }, command: Command) => {
      if (flags.all === names.length > 0)
        throw new TsimgError("ERR_USAGE", "name what to unmount, or say --all", {
          hint: '"tsimg mount" lists what is mounted',
        });
      requireRoot("unmounting an image");
      using app = openApp(command);
      const meant = flags.all
        ? new ImageMounts(app.database).list().map(({ path }) => path)
        : names;
      process.exitCode = await eachNamed(
        meant,
        command.optsWithGlobals()["debug"] === true,
        (name) => unmountImage(app, name).join("\n"),
      );
    });
}
