import { VolumeStore } from "../../runtime/volume/volume-store.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { eachNamed } from "../each-named.ts";
import { openApp } from "../globals.ts";
import { requireRoot } from "../require-root.ts";

const EXAMPLES = `
Examples:
  $ tsimg volume rm data
  $ tsimg volume rm -f data cache
`;

/** `tsimg volume rm` */
export function command(): Command {
  return new Command("volume rm")
    .description("remove volumes that no container uses")
    .argument("<name...>", "names of volumes")
    .option("-f, --force", "one that doesn't exist is no error", false)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: { force: boolean }, command: Command) => {
      requireRoot("removing a volume");
      using app = openApp(command);
      app.containers.clearUp();
      const store = new VolumeStore(app.database, app.paths);
      const { debug } = command.optsWithGlobals<{ debug?: true }>();
      process.exitCode = await eachNamed(names, debug === true, (name) => {
        try {
          store.remove(name);
        } catch (error) {
          const isMissing = error instanceof TsimgError && error.code === "ERR_NO_SUCH_VOLUME";
          if (!flags.force || !isMissing) throw error;
        }
        return name;
      });
    });
}
