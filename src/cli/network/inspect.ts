import type { App } from "../../app.ts";
import { inspectNetwork, inspectPredefined } from "../../runtime/network/inspect-network.ts";
import { isPredefined } from "../../runtime/network/predefined-networks.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { reportError } from "../output/errors.ts";
import { renderInspected } from "../output/format.ts";
import { print } from "../output/print.ts";
import { networkStore } from "./app-network.ts";

const EXAMPLES = `
Examples:
  $ tsimg network inspect bridge
  $ tsimg network inspect --format '{{json .Containers}}' blue
`;

/** `tsimg network inspect` */
export function command(): Command {
  return new Command("network inspect")
    .description("print all that is known of networks, and who is in them")
    .argument("<network...>", "names or IDs")
    .option("-f, --format <format>", "json, or a template such as '{{.Id}}'")
    .option("-v, --verbose", "accepted and without effect: there is nothing more to tell")
    .addHelpText("after", EXAMPLES)
    .action((names: string[], flags: { format?: string }, command: Command) => {
      using app = openApp(command);
      app.containers.clearUp();
      const found: object[] = [];
      for (const name of names) {
        try {
          found.push(describeNetwork(app, name));
        } catch (error) {
          const debug = command.optsWithGlobals()["debug"] === true;
          reportError(error, process.stderr, { debug });
          process.exitCode = 1;
        }
      }
      print(renderInspected(found, flags.format));
    });
}

/** @throws TsimgError ERR_NO_SUCH_NETWORK */
export function describeNetwork(app: App, name: string): object {
  if (isPredefined(name)) return inspectPredefined(name);
  const store = networkStore(app);
  const network = store.existing(name);
  const members = store.members(network.name);
  const sql = "select id, name from containers where id in (select container from network_members)";
  const rows = app.database.all<{ id: string; name: string }>(sql);
  return inspectNetwork(network, members, new Map(rows.map((row) => [row.id, row.name])));
}
