import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { print } from "../output/print.ts";
import { requireRoot } from "../require-root.ts";
import { each, NONE } from "../run-flags/each.ts";
import { networkStore } from "./app-network.ts";
import { keyValues } from "./key-values.ts";

interface Flags {
  readonly driver: string;
  readonly subnet: readonly string[];
  readonly gateway: readonly string[];
  readonly ipRange: readonly string[];
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly label: readonly string[];
  readonly opt: readonly string[];
}

const EXAMPLES = `
Examples:
  $ tsimg network create blue
  $ tsimg network create --subnet 10.20.0.0/24 --gateway 10.20.0.254 office
  $ tsimg network create --ipv6 --subnet fd12:3456::/64 six
  $ tsimg network create --internal -o mtu=1400 vault
`;

/** `tsimg network create`: its bridge is made when a container first needs it. */
export function command(): Command {
  return new Command("network create")
    .description("make a network")
    .argument("<name>", "name of the network")
    .option("-d, --driver <driver>", "how it works: there is bridge", "bridge")
    .option("--subnet <subnet>", "its addresses, e.g. 10.20.0.0/24; one of each family", each, NONE)
    .option("--gateway <address>", "the host's address in it (the first one)", each, NONE)
    .option("--ip-range <subnet>", "of it what containers get that don't ask", each, NONE)
    .option("--ipv6", "also IPv6, with a unique local subnet unless one is given", false)
    .option("--attachable", "accepted and without effect: containers can be put into any network")
    .option("--internal", "no way out, no published ports", false)
    .option("--label <key=value>", "say something about it", each, NONE)
    .option("-o, --opt <key=value>", "com.docker.network.bridge.name=NAME, mtu=BYTES", each, NONE)
    .addHelpText("after", EXAMPLES)
    .action((name: string, flags: Flags, command: Command) => {
      if (flags.driver !== "bridge")
        throw new TsimgError("ERR_USAGE", `unknown network driver "${flags.driver.slice(0, 64)}"`, {
          hint: "there is bridge",
        });
      requireRoot("making a network");
      using app = openApp(command);
      const network = networkStore(app).create({
        name,
        subnets: flags.subnet,
        gateways: flags.gateway,
        ranges: flags.ipRange,
        ipv6: flags.ipv6,
        internal: flags.internal,
        labels: keyValues(flags.label, "--label"),
        options: keyValues(flags.opt, "--opt"),
      });
      print(`${network.id}\n`);
    });
}
