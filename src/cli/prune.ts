import { pruneContainers } from "../runtime/container/prune-containers.ts";
import { pruneNetworks } from "../runtime/network/prune-networks.ts";
import { pruneVolumes } from "../runtime/volume/prune-volumes.ts";
import { VolumeStore } from "../runtime/volume/volume-store.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { print } from "./output/print.ts";
import { formatSize } from "./output/size.ts";
import { requireRoot } from "./require-root.ts";

interface Flags {
  readonly force: boolean;
  readonly volumes: boolean;
}

const EXAMPLES = `
Examples:
  $ tsimg prune
  $ tsimg prune --force --volumes
`;

/** `tsimg prune`: docker's `system prune` without images, which `rmi` removes. */
export function command(): Command {
  return new Command("prune")
    .description("remove stopped containers and networks that nobody uses")
    .option("-f, --force", "don't ask", false)
    .option("--volumes", "also volumes without a name that no container uses", false)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags, command: Command) => {
      requireRoot("removing containers and networks");
      if (!flags.force && !(await isConfirmed(flags.volumes))) return;
      using app = openApp(command);
      const { snapshots } = app;
      const containers = pruneContainers(
        app.containers,
        ({ row }) => snapshots.usage(row.snapshot).bytes,
      );
      print(section("Containers", containers.removed));
      print(section("Networks", pruneNetworks(app.containers.networks)));
      const volumes = flags.volumes
        ? pruneVolumes(new VolumeStore(app.database, app.paths), ({ anonymous }) => anonymous)
        : { removed: [], bytes: 0 };
      print(section("Volumes", volumes.removed));
      print(`Total reclaimed space: ${formatSize(containers.bytes + volumes.bytes)}\n`);
    });
}

function section(what: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `Deleted ${what}:\n${names.join("\n")}\n\n`;
}

async function isConfirmed(volumes: boolean): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new TsimgError("ERR_USAGE", "this removes all stopped containers and unused networks", {
      hint: "nobody can be asked here: say so with --force",
    });
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const warning = [
    "WARNING! This will remove:",
    "  - all stopped containers",
    "  - all networks not used by at least one container",
    ...(volumes ? ["  - all anonymous volumes not used by at least one container"] : []),
    "",
    "Are you sure you want to continue? [y/N] ",
  ];
  try {
    return /^y(es)?$/i.test((await lines.question(warning.join("\n"))).trim());
  } finally {
    lines.close();
  }
}
