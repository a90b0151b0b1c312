import { pruneVolumes } from "../../runtime/volume/prune-volumes.ts";
import { parseVolumeFilters } from "../../runtime/volume/volume-filters.ts";
import { VolumeStore } from "../../runtime/volume/volume-store.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { print } from "../output/print.ts";
import { formatSize } from "../output/size.ts";
import { requireRoot } from "../require-root.ts";
import { each, NONE } from "../run-flags/each.ts";

interface Flags {
  readonly all: boolean;
  readonly force: boolean;
  readonly filter: readonly string[];
}

const KEYS = ["all", "label", "label!"];

const EXAMPLES = `
Examples:
  $ tsimg volume prune
  $ tsimg volume prune --all --force
  $ tsimg volume prune -f --filter label!=keep
`;

/** `tsimg volume prune` */
export function command(): Command {
  return new Command("volume prune")
    .description("remove the volumes without a name that no container uses")
    .option("-a, --all", "also those that have a name", false)
    .option("-f, --force", "don't ask", false)
    .option("--filter <key=value>", `only some: ${KEYS.join(", ")}`, each, NONE)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags, command: Command) => {
      requireRoot("removing volumes");
      const whole = flags.filter.filter((text) => /^all=/.test(text));
      const all = flags.all || whole.some((text) => /^all=(1|t|true)$/i.test(text));
      const others = flags.filter.filter((text) => !whole.includes(text));
      const isWanted = parseVolumeFilters(others, KEYS.slice(1));
      if (!flags.force && !(await isConfirmed(all))) return;
      using app = openApp(command);
      app.containers.clearUp();
      const store = new VolumeStore(app.database, app.paths);
      const { removed, bytes } = pruneVolumes(store, (volume) => {
        return (all || volume.anonymous) && isWanted(volume, false);
      });
      const list = removed.map((name) => `${name}\n`).join("");
      print(`${list === "" ? "" : `Deleted Volumes:\n${list}\n`}`);
      print(`Total reclaimed space: ${formatSize(bytes)}\n`);
    });
}

async function isConfirmed(all: boolean): Promise<boolean> {
  const which = all ? "all" : "all anonymous";
  if (!process.stdin.isTTY)
    throw new TsimgError("ERR_USAGE", `this removes ${which} volumes that no container uses`, {
      hint: "nobody can be asked here: say so with --force",
    });
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const warning = `WARNING! This will remove ${which} local volumes not used by a container.`;
    const answer = await lines.question(`${warning}\nAre you sure you want to continue? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
