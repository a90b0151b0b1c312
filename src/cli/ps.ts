import type { App } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import { publishedPorts } from "../runtime/network/network-settings.ts";
import { NetworkStore } from "../runtime/network/network-store.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { LABEL, type Listing, renderRows, withLabels } from "./output/format.ts";
import { print } from "./output/print.ts";
import { containerFilter, looksAtAll } from "./ps-filter.ts";
import {
  containerRow,
  type Field,
  filteredContainer,
  type ListedContainer,
  TITLES,
} from "./ps-row.ts";
import { each, NONE } from "./run-flags/each.ts";

interface Flags {
  readonly all?: true;
  readonly quiet?: true;
  readonly size?: true;
  readonly trunc: boolean;
  readonly last?: string;
  readonly latest?: true;
  readonly filter: readonly string[];
  readonly format?: string;
}

const TABLE =
  "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

const EXAMPLES = `
Examples:
  $ tsimg ps
  $ tsimg ps -a --no-trunc
  $ tsimg ps -aq --filter status=exited
  $ tsimg ps --filter label=team=web --format '{{.Names}}: {{.Status}}'
`;

/** `tsimg ps` */
export function command(): Command {
  return new Command("ps")
    .description("list containers")
    .option("-a, --all", "also those that don't run")
    .option("-q, --quiet", "print IDs only")
    .option("-s, --size", "show what each has written")
    .option("-n, --last <n>", "the last n containers, running or not")
    .option("-l, --latest", "the last container, running or not")
    .option("-f, --filter <name=value>", "status, name, label, ancestor and more", each, NONE)
    .option("--no-trunc", "show whole IDs and commands")
    .option("--format <format>", "table, json, or a template such as '{{.Names}} {{.State}}'")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags, command: Command) => {
      using app = openApp(command);
      const listing: Listing<Field> = {
        titles: TITLES,
        methods: [LABEL],
        table: flags.size ? `${TABLE}\t{{.Size}}` : TABLE,
      };
      const withSize = flags.size === true || flags.format?.includes(".Size") === true;
      const rows = shown(app, flags).map((listed) => {
        const row = containerRow(app, listed, !flags.trunc, withSize);
        return withLabels(row, listed.container.options.labels);
      });
      print(renderRows(listing, rows, flags));
    });
}

/** Newest first. */
function shown(app: App, flags: Flags): readonly ListedContainer[] {
  const last = flags.latest ? 1 : parseLast(flags.last);
  const fits = containerFilter(flags.filter, {
    manifestsOf: (name) => {
      const image = app.images.find(name)?.image;
      return image === undefined ? [] : app.images.builtUpon(image);
    },
    createdOf: (container) => app.containers.existing(container).row.created,
  });
  const isAll = flags.all === true || last > 0 || looksAtAll(flags.filter);
  const wanted = gathered(app, app.containers.list())
    .filter(({ container }) => isAll || isUp(container))
    .filter((listed) => flags.filter.length === 0 || fits(filteredContainer(app, listed)));
  return last > 0 ? wanted.slice(0, last) : wanted;
}

/** Docker counts one that waits for its restart among those that run. */
function isUp({ state }: Container): boolean {
  return state.status === "running" || state.status === "restarting";
}

function gathered(app: App, containers: readonly Container[]): readonly ListedContainer[] {
  const ports = publishedPorts(app.database);
  const store = new NetworkStore(app.containers.networks);
  const ids = new Map(store.list().map(({ name, id }) => [name, id]));
  return containers.map((container) => ({
    container,
    ports: ports.get(container.row.id) ?? [],
    networks: networksOf(store, ids, container),
  }));
}

/** One without a network of tsimg's has the name of its mode, as with docker. */
function networksOf(
  store: NetworkStore,
  ids: ReadonlyMap<string, string>,
  { row, options }: Container,
): ListedContainer["networks"] {
  const { choice } = options.network;
  if (choice.kind === "none" || choice.kind === "host") return [{ name: choice.kind, id: "" }];
  if (choice.kind !== "networks") return [];
  const joined = store.memberships(row.id).map(({ network }) => network);
  const names = joined.length > 0 ? joined : choice.attachments.map(({ network }) => network);
  return names.map((name) => ({ name, id: ids.get(name) ?? "" }));
}

/** 0 when it isn't given; as with docker a number below 1 is none. */
function parseLast(text: string | undefined): number {
  if (text === undefined) return 0;
  const count = Number(text);
  if (Number.isInteger(count)) return Math.max(count, 0);
  throw new TsimgError("ERR_USAGE", `--last: '${text.slice(0, 64)}' is not a number of containers`);
}
