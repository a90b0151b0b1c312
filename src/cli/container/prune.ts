import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { isConfirmed } from "../output/confirm.ts";
import { print } from "../output/print.ts";
import { formatSize } from "../output/size.ts";
import { removeContainers, section } from "../prune/perform.ts";
import { PRUNE_KEYS, pruneFilter } from "../prune/prune-filter.ts";
import { requireRoot } from "../require-root.ts";
import { each, NONE } from "../run-flags/each.ts";

interface Flags {
  readonly force: boolean;
  readonly filter: readonly string[];
}

const EXAMPLES = `
Examples:
  $ tsimg container prune -f --filter until=24h
`;

/** `tsimg container prune` */
export function command(): Command {
  return new Command("container prune")
    .description("remove all containers that don't run")
    .option("-f, --force", "don't ask", false)
    .option("--filter <key=value>", `only some: ${PRUNE_KEYS.join(", ")}`, each, NONE)
    .addHelpText("after", EXAMPLES)
    .action(async ({ force, filter }: Flags, command: Command) => {
      requireRoot("removing containers");
      const fits = pruneFilter(filter);
      if (!force && !(await isConfirmed("This will remove all stopped containers."))) return;
      using app = openApp(command);
      const removed = removeContainers(app, fits);
      print(section("Containers", removed));
      print(`Total reclaimed space: ${formatSize(removed.bytes)}\n`);
    });
}
