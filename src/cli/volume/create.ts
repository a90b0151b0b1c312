import { newVolume } from "../../runtime/volume/new-volume.ts";
import { VolumeStore } from "../../runtime/volume/volume-store.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { print } from "../output/print.ts";
import { requireRoot } from "../require-root.ts";
import { each, NONE } from "../run-flags/each.ts";

interface Flags {
  readonly driver: string;
  readonly label: readonly string[];
  readonly opt: readonly string[];
}

const EXAMPLES = `
Examples:
  $ tsimg volume create data
  $ tsimg volume create --label team=web data
  $ tsimg volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=64m scratch
  $ tsimg volume create --opt type=none --opt device=/srv/data --opt o=bind data
`;

/** `tsimg volume create` */
export function command(): Command {
  return new Command("volume create")
    .description("make a volume; one that is there stays as it is")
    .argument("[name]", "its name; 64 hexadecimal digits without one")
    .option("-d, --driver <name>", "local, for there is no other", "local")
    .option("--label <key[=value]>", "a label", each, NONE)
    .option("-o, --opt <key=value>", "type, device or o: what to mount in its place", each, NONE)
    .addHelpText("after", EXAMPLES)
    .action((name: string | undefined, flags: Flags, command: Command) => {
      if (flags.driver !== "local")
        throw new TsimgError("ERR_USAGE", `unknown volume driver '${flags.driver.slice(0, 64)}'`, {
          hint: "there is only the driver local",
        });
      requireRoot("making a volume");
      using app = openApp(command);
      const wish = newVolume(name, pairs(flags.label), pairs(flags.opt));
      print(`${new VolumeStore(app.database, app.paths).create(wish).name}\n`);
    });
}

/** `key=value`; a key alone has an empty value. */
function pairs(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}
