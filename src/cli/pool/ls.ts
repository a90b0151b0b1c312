import { listPools, type PoolStatus } from "../../storage/pool/pool-status.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { type Listing, renderRows } from "../output/format.ts";
import { print } from "../output/print.ts";
import { formatSize } from "../output/size.ts";

interface Flags {
  readonly quiet?: true;
  readonly format?: string;
}

const LISTING = {
  titles: {
    Name: "NAME",
    Driver: "DRIVER",
    Size: "SIZE",
    Used: "USED",
    File: "FILE",
    Status: "STATUS",
    Snapshots: "SNAPSHOTS",
    Created: "CREATED",
  },
  table: "{{.Name}}\t{{.Driver}}\t{{.Size}}\t{{.Used}}\t{{.File}}\t{{.Status}}",
  quiet: "{{.Name}}",
} as const satisfies Listing<string>;

const EXAMPLES = `
Examples:
  $ tsimg pool ls
  $ tsimg pool ls --format '{{.Name}} {{.Used}} of {{.Size}}'
  $ tsimg pool ls --format json
`;

/** `tsimg pool ls` */
export function command(): Command {
  return new Command("pool ls")
    .description("list the pools, and what a crash left of others")
    .option("-q, --quiet", "print names only")
    .option("--format <format>", "table, json, or a template such as '{{.Name}} {{.Used}}'")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags, command: Command) => {
      using app = openApp(command);
      print(renderRows(LISTING, listPools(app.database, app.paths).map(row), flags));
    });
}

function row({ pool, status, size, used, snapshots }: PoolStatus) {
  return {
    Name: pool.name,
    Driver: pool.kind,
    Size: formatSize(size),
    Used: formatSize(used),
    File: pool.file,
    Status: status,
    Snapshots: snapshots,
    Created: pool.created,
  };
}
