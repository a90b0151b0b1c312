import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { isConfirmed } from "../output/confirm.ts";
import { print } from "../output/print.ts";
import { formatSize } from "../output/size.ts";
import { removeVolumes, section } from "../prune/perform.ts";
import { pruneFilter } from "../prune/prune-filter.ts";
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
      if (others.some((text) => text.startsWith("until=")))
        throw new TsimgError("ERR_USAGE", "volumes have no filter until", {
          hint: `known: ${KEYS.map((key) => `${key}=…`).join(", ")}`,
        });
      const fits = pruneFilter(others);
      const which = all ? "all" : "anonymous";
      const warning = `This will remove ${which} local volumes not used by at least one container.`;
      if (!flags.force && !(await isConfirmed(warning))) return;
      using app = openApp(command);
      app.containers.clearUp();
      const removed = removeVolumes(app, fits, all);
      print(section("Volumes", removed));
      print(`Total reclaimed space: ${formatSize(removed.bytes)}\n`);
    });
}
