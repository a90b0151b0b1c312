import { reloadNetworks } from "../../runtime/network/ensure-networks.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { requireRoot } from "../require-root.ts";
import { networkContext, networkStore } from "./app-network.ts";

const EXAMPLES = `
Examples:
  $ systemctl restart nftables && tsimg network reload
`;

/** `tsimg network reload` */
export function command(): Command {
  return new Command("network reload")
    .description("write the firewall's table anew, after somebody emptied it")
    .addHelpText("after", EXAMPLES)
    .action((_flags: object, command: Command) => {
      requireRoot("changing the firewall");
      using app = openApp(command);
      app.containers.clearUp();
      reloadNetworks(networkContext(app), networkStore(app));
    });
}
