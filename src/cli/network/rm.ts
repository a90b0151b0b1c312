import { removeNetwork } from "../../runtime/network/ensure-networks.ts";
import { isPredefined } from "../../runtime/network/predefined-networks.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { eachNamed } from "../each-named.ts";
import { openApp } from "../globals.ts";
import { requireRoot } from "../require-root.ts";
import { networkContext, networkStore } from "./app-network.ts";

const EXAMPLES = `
Examples:
  $ tsimg network rm blue
  $ tsimg network rm bridge     it is made anew when it is next needed
`;

/** `tsimg network rm` */
export function command(): Command {
  return new Command("network rm")
    .description("remove networks that no running container is in")
    .argument("<network...>", "names or IDs")
    .option("-f, --force", "a network that doesn't exist is no error", false)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: { force: boolean }, command: Command) => {
      requireRoot("removing a network");
      using app = openApp(command);
      app.containers.clearUp();
      const store = networkStore(app);
      const { debug } = command.optsWithGlobals<{ debug?: true }>();
      process.exitCode = await eachNamed(names, debug === true, (name) => {
        if (isPredefined(name))
          throw new TsimgError("ERR_USAGE", `${name} is a pre-defined network`, {
            hint: "it can't be removed",
          });
        if (flags.force && store.find(name) === undefined) return "";
        removeNetwork(networkContext(app), store, store.existing(name));
        return name;
      });
    });
}
