import { connectNetwork } from "../../runtime/network/connect-network.ts";
import { checkHostName } from "../../runtime/network/host-name.ts";
import { parseIp } from "../../runtime/network/network-choice.ts";
import { isPredefined } from "../../runtime/network/predefined-networks.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { requireRoot } from "../require-root.ts";
import { each } from "../run-flags/each.ts";
import { networkContext, runningContainer } from "./app-network.ts";

interface Flags {
  readonly alias: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg network connect blue web
  $ tsimg network connect --alias db --ip 10.20.0.9 office web
`;

/** `tsimg network connect` */
export function command(): Command {
  return new Command("network connect")
    .description("put a running container into one more network")
    .argument("<network>", "name or ID of the network")
    .argument("<container>", "name or ID of the container")
    .option("--alias <name>", "a further name in this network", each, [] as readonly string[])
    .option("--ip <address>", "its IPv4 address there")
    .option("--ip6 <address>", "its IPv6 address there")
    .addHelpText("after", EXAMPLES)
    .action((network: string, container: string, flags: Flags, command: Command) => {
      requireRoot("connecting a container");
      if (isPredefined(network))
        throw new TsimgError("ERR_USAGE", `no container can be connected to network ${network}`, {
          hint: "that is decided when it starts: tsimg run --network",
        });
      using app = openApp(command);
      connectNetwork(networkContext(app), runningContainer(app, container), {
        network,
        aliases: flags.alias.map((name) => checkHostName(name, "alias")),
        ...(flags.ip !== undefined && { address: parseIp(flags.ip, 4) }),
        ...(flags.ip6 !== undefined && { address6: parseIp(flags.ip6, 6) }),
      });
    });
}
