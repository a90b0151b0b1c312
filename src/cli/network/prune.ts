import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { isConfirmed } from "../output/confirm.ts";
import { print } from "../output/print.ts";
import { removeNetworks, section } from "../prune/perform.ts";
import { PRUNE_KEYS, pruneFilter } from "../prune/prune-filter.ts";
import { requireRoot } from "../require-root.ts";
import { each, NONE } from "../run-flags/each.ts";

interface Flags {
  readonly force: boolean;
  readonly filter: readonly string[];
}

const WARNING = "This will remove all custom networks not used by at least one container.";

const EXAMPLES = `
Examples:
  $ tsimg network prune -f
  $ tsimg network prune -f --filter until=24h --filter label!=keep
`;

/** `tsimg network prune`: the default network stays, as with docker. */
export function command(): Command {
  return new Command("network prune")
    .description("remove all networks that no running container is in")
    .option("-f, --force", "don't ask", false)
    .option("--filter <key=value>", `only some: ${PRUNE_KEYS.join(", ")}`, each, NONE)
    .addHelpText("after", EXAMPLES)
    .action(async ({ force, filter }: Flags, command: Command) => {
      requireRoot("removing networks");
      const fits = pruneFilter(filter);
      if (!force && !(await isConfirmed(WARNING))) return;
      using app = openApp(command);
      app.containers.clearUp();
      const removed = removeNetworks(app, fits);
      print(section("Networks", removed));
    });
}
