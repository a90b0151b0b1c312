import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { isConfirmed } from "../output/confirm.ts";
import { print } from "../output/print.ts";
import { formatSize } from "../output/size.ts";
import { removeImages, section } from "../prune/perform.ts";
import { PRUNE_KEYS, pruneFilter } from "../prune/prune-filter.ts";
import { requireRoot } from "../require-root.ts";
import { each, NONE } from "../run-flags/each.ts";

interface Flags {
  readonly all: boolean;
  readonly force: boolean;
  readonly filter: readonly string[];
}

const EXAMPLES = `
Examples:
  $ tsimg image prune
  $ tsimg image prune --all --force --filter label!=keep
`;

/** `tsimg image prune` */
export function command(): Command {
  return new Command("image prune")
    .description("remove the images without a name that no container is of")
    .option("-a, --all", "also those that have a name", false)
    .option("-f, --force", "don't ask", false)
    .option("--filter <key=value>", `only some: ${PRUNE_KEYS.join(", ")}`, each, NONE)
    .addHelpText("after", EXAMPLES)
    .action(async ({ all, force, filter }: Flags, command: Command) => {
      requireRoot("removing images");
      const fits = pruneFilter(filter);
      const which = all
        ? "all images without at least one container associated to them."
        : "all dangling images.";
      if (!force && !(await isConfirmed(`This will remove ${which}`))) return;
      using app = openApp(command);
      app.containers.clearUp();
      const removed = removeImages(app, fits, all);
      print(section("Images", removed));
      print(`Total reclaimed space: ${formatSize(removed.bytes)}\n`);
    });
}
