import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { isConfirmed } from "./output/confirm.ts";
import { print } from "./output/print.ts";
import { formatSize } from "./output/size.ts";
import {
  removeContainers,
  removeImages,
  removeNetworks,
  removeVolumes,
  section,
} from "./prune/perform.ts";
import { PRUNE_KEYS, pruneFilter } from "./prune/prune-filter.ts";
import { requireRoot } from "./require-root.ts";
import { each, NONE } from "./run-flags/each.ts";

interface Flags {
  readonly all: boolean;
  readonly force: boolean;
  readonly volumes: boolean;
  readonly filter: readonly string[];
}

const EXAMPLES = `
Examples:
  $ tsimg prune
  $ tsimg prune --force --volumes
  $ tsimg prune --all --filter until=24h
`;

/** `tsimg prune`, or as docker has it `tsimg system prune`. */
export function command(): Command {
  return new Command("prune")
    .description("remove stopped containers, unused networks and images without a name")
    .option("-a, --all", "also images with a name that no container is of", false)
    .option("-f, --force", "don't ask", false)
    .option("--volumes", "also volumes without a name that no container uses", false)
    .option("--filter <key=value>", `only some: ${PRUNE_KEYS.join(", ")}`, each, NONE)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags, command: Command) => {
      requireRoot("removing containers and networks");
      const fits = pruneFilter(flags.filter);
      if (flags.volumes && flags.filter.some((text) => text.startsWith("until=")))
        throw new TsimgError("ERR_USAGE", "the filter until doesn't go with --volumes");
      if (!flags.force && !(await isConfirmed(warningOf(flags)))) return;
      using app = openApp(command);
      const containers = removeContainers(app, fits);
      const networks = removeNetworks(app, fits);
      const volumes = flags.volumes ? removeVolumes(app, fits, false) : { lines: [], bytes: 0 };
      const images = removeImages(app, fits, flags.all);
      print(section("Containers", containers) + section("Networks", networks));
      print(section("Volumes", volumes) + section("Images", images));
      const bytes = containers.bytes + volumes.bytes + images.bytes;
      print(`Total reclaimed space: ${formatSize(bytes)}\n`);
    });
}

function warningOf({ all, volumes }: Flags): string {
  return [
    "This will remove:",
    "  - all stopped containers",
    "  - all networks not used by at least one container",
    ...(volumes ? ["  - all anonymous volumes not used by at least one container"] : []),
    all
      ? "  - all images without at least one container associated to them"
      : "  - all dangling images",
    "",
  ].join("\n");
}
