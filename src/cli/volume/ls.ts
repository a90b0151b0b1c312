import { parseVolumeFilters } from "../../runtime/volume/volume-filters.ts";
import { VolumeStore } from "../../runtime/volume/volume-store.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { LABEL, type Listing, renderRows, withLabels } from "../output/format.ts";
import { print } from "../output/print.ts";
import { each, NONE } from "../run-flags/each.ts";

interface Flags {
  readonly filter: readonly string[];
  readonly quiet?: true;
  readonly format?: string;
}

const LISTING = {
  titles: {
    Driver: "DRIVER",
    Name: "VOLUME NAME",
    Scope: "SCOPE",
    Mountpoint: "MOUNTPOINT",
    Labels: "LABELS",
    Links: "LINKS",
    Size: "SIZE",
  },
  table: "{{.Driver}}\t{{.Name}}",
  quiet: "{{.Name}}",
  methods: [LABEL],
} as const satisfies Listing<string>;

const KEYS = ["dangling", "driver", "label", "name"];

const EXAMPLES = `
Examples:
  $ tsimg volume ls
  $ tsimg volume ls -q --filter dangling=true
  $ tsimg volume ls --format '{{.Name}} {{.Mountpoint}}'
`;

/** `tsimg volume ls` */
export function command(): Command {
  return new Command("volume ls")
    .description("list the volumes")
    .option("-f, --filter <key=value>", `only some: ${KEYS.join(", ")}`, each, NONE)
    .option("-q, --quiet", "print names only")
    .option("--format <format>", "table, json, or a template such as '{{.Name}} {{.Labels}}'")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags, command: Command) => {
      using app = openApp(command);
      const store = new VolumeStore(app.database, app.paths);
      const isWanted = parseVolumeFilters(flags.filter, KEYS);
      const rows = store.list().flatMap((volume) => {
        const links = store.users(volume.name).length;
        if (!isWanted(volume, links > 0)) return [];
        const labels = Object.entries(volume.labels).map(([key, value]) => `${key}=${value}`);
        const row = {
          Driver: volume.driver,
          Name: volume.name,
          Scope: "local",
          Mountpoint: store.dataDirectory(volume.name),
          Labels: labels.sort().join(","),
          Links: String(links),
          // Docker's word for what it would take too long to find out.
          Size: "N/A",
        };
        return withLabels(row, volume.labels);
      });
      print(renderRows(LISTING, rows, flags));
    });
}
