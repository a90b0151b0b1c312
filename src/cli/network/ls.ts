import { DEFAULT_NETWORK, type NetworkRow } from "../../runtime/network/network-row.ts";
import {
  PREDEFINED,
  predefinedDriver,
  predefinedId,
} from "../../runtime/network/predefined-networks.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { LABEL, type Listing, renderRows, withLabels } from "../output/format.ts";
import { print } from "../output/print.ts";
import { each } from "../run-flags/each.ts";
import { networkStore } from "./app-network.ts";
import { type FilteredNetwork, networkFilter } from "./network-filter.ts";

interface Flags {
  readonly quiet?: true;
  readonly trunc: boolean;
  readonly filter: readonly string[];
  readonly format?: string;
}

const LISTING = {
  methods: [LABEL],
  titles: {
    ID: "NETWORK ID",
    Name: "NAME",
    Driver: "DRIVER",
    Scope: "SCOPE",
    IPv4: "IPV4",
    IPv6: "IPV6",
    Internal: "INTERNAL",
    Labels: "LABELS",
    CreatedAt: "CREATED AT",
  },
  table: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
  quiet: "{{.ID}}",
} as const satisfies Listing<string>;

const EXAMPLES = `
Examples:
  $ tsimg network ls
  $ tsimg network ls -q --filter type=custom
  $ tsimg network ls --format '{{.Name}} {{.Internal}}'
`;

/** `tsimg network ls` */
export function command(): Command {
  return new Command("network ls")
    .description("list the networks")
    .option("-q, --quiet", "print IDs only")
    .option("--no-trunc", "show whole IDs")
    .option(
      "-f, --filter <key=value>",
      "name, id, driver, scope, label, type=builtin|custom, dangling=true|false",
      each,
      [] as readonly string[],
    )
    .option("--format <format>", "table, json, or a template such as '{{.Name}} {{.Driver}}'")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags, command: Command) => {
      using app = openApp(command);
      const store = networkStore(app);
      store.find(DEFAULT_NETWORK);
      const passes = networkFilter(flags.filter);
      const all = [
        ...store.list().map((network) => ofRow(network, store.members(network.name).length > 0)),
        ...PREDEFINED.map(predefined),
      ].sort((a, b) => (a.name < b.name ? -1 : 1));
      const rows = all.filter(passes).map((network) => row(network, flags.trunc));
      print(renderRows(LISTING, rows, flags));
    });
}

type Listed = FilteredNetwork & {
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly created: string;
};

function ofRow(network: NetworkRow, used: boolean): Listed {
  return {
    id: network.id,
    name: network.name,
    driver: network.driver,
    builtin: network.name === DEFAULT_NETWORK,
    used,
    labels: JSON.parse(network.labels) as Readonly<Record<string, string>>,
    ipv6: network.subnet6 !== null,
    internal: network.internal === 1,
    created: network.created,
  };
}

function predefined(name: (typeof PREDEFINED)[number]): Listed {
  const id = predefinedId(name);
  const driver = predefinedDriver(name);
  const never = { ipv6: false, internal: false, created: "" };
  return { id, name, driver, builtin: true, used: true, labels: {}, ...never };
}

function row(network: Listed, trunc: boolean) {
  const { id, name, driver, labels, ipv6, internal, created } = network;
  const shown = {
    ID: trunc ? id.slice(0, 12) : id,
    Name: name,
    Driver: driver,
    Scope: "local",
    IPv4: "true",
    IPv6: String(ipv6),
    Internal: String(internal),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    CreatedAt: created,
  };
  return withLabels(shown, labels);
}
