import type { Volume } from "../../runtime/volume/volume.ts";
import { VolumeStore } from "../../runtime/volume/volume-store.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { reportError } from "../output/errors.ts";
import { renderInspected } from "../output/format.ts";
import { print } from "../output/print.ts";

const EXAMPLES = `
Examples:
  $ tsimg volume inspect data
  $ tsimg volume inspect --format '{{.Mountpoint}}' data
`;

/** `tsimg volume inspect` */
export function command(): Command {
  return new Command("volume inspect")
    .description("show volumes in detail")
    .argument("<name...>", "names of volumes")
    .option("-f, --format <format>", "json, or a template such as '{{.Mountpoint}}'")
    .addHelpText("after", EXAMPLES)
    .action((names: string[], flags: { format?: string }, command: Command) => {
      using app = openApp(command);
      const store = new VolumeStore(app.database, app.paths);
      const debug = command.optsWithGlobals()["debug"] === true;
      const found = names.flatMap((name) => {
        try {
          return describeVolume(store.existing(name), store);
        } catch (error) {
          reportError(error, process.stderr, { debug });
          process.exitCode = 1;
          return [];
        }
      });
      print(renderInspected(found, flags.format));
    });
}

/** With docker's members; null where there is nothing. */
export function describeVolume(volume: Volume, store: VolumeStore): object {
  const orNull = (record: object) => (Object.keys(record).length === 0 ? null : record);
  return {
    CreatedAt: volume.created,
    Driver: volume.driver,
    Labels: orNull(volume.labels),
    Mountpoint: store.dataDirectory(volume.name),
    Name: volume.name,
    Options: orNull(volume.options),
    Scope: "local",
  };
}
