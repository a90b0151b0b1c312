import { parseSize } from "../../runtime/sizes.ts";
import { POOL_KINDS, type PoolKind } from "../../storage/pool/pool.ts";
import { PoolManager } from "../../storage/pool/pool-manager.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command, Option } from "../command.ts";
import { openApp } from "../globals.ts";
import { print } from "../output/print.ts";
import { requireRoot } from "../require-root.ts";

interface Flags {
  readonly driver?: PoolKind;
  readonly size?: string;
  readonly file?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg pool create fast --driver btrfs --size 20G
  $ tsimg pool create copies --driver xfs --size 20G
  $ tsimg pool create tank --driver zfs --size 50G --file /srv/tank.img
`;

/** `tsimg pool create`: src/storage/pool makes it. */
export function command(): Command {
  return new Command("pool create")
    .description("make a pool in a sparse file, and attach it")
    .argument("<name>", "name of the pool: --driver btrfs:NAME then unpacks there")
    .addOption(new Option("--driver <kind>", "what it is made of").choices(POOL_KINDS))
    .option("--size <size>", "most bytes that it can hold, e.g. 20G; they are not taken at once")
    .option("--file <path>", "where its file is made (default pools/NAME.img in the root)")
    .addHelpText("after", EXAMPLES)
    .action((name: string, flags: Flags, command: Command) => {
      const { driver, size, file } = flags;
      if (driver === undefined) throw missing("--driver", POOL_KINDS.join(", "));
      if (size === undefined) throw missing("--size", "20G, for one");
      requireRoot("making a pool");
      using app = openApp(command);
      const pool = new PoolManager(app.database, app.paths).create({
        name,
        kind: driver,
        size: parseSize(size, "--size"),
        file,
      });
      print(`${pool.name}\n`);
    });
}

function missing(flag: string, what: string): TsimgError {
  return new TsimgError("ERR_USAGE", `${flag} is missing`, { hint: `it takes ${what}` });
}
