import { disconnectNetwork } from "../../runtime/network/disconnect-network.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { requireRoot } from "../require-root.ts";
import { networkContext, runningContainer } from "./app-network.ts";

const EXAMPLES = `
Examples:
  $ tsimg network disconnect blue web
`;

/** `tsimg network disconnect` */
export function command(): Command {
  return new Command("network disconnect")
    .description("take a running container out of a network")
    .argument("<network>", "name or ID of the network")
    .argument("<container>", "name or ID of the container")
    .option("-f, --force", "accepted for docker's sake", false)
    .addHelpText("after", EXAMPLES)
    .action((network: string, container: string, _flags: object, command: Command) => {
      requireRoot("disconnecting a container");
      using app = openApp(command);
      disconnectNetwork(networkContext(app), runningContainer(app, container), network);
    });
}
