import { createInterface } from "node:readline/promises";
import { pruneNetworks } from "../../runtime/network/prune-networks.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { openApp } from "../globals.ts";
import { print } from "../output/print.ts";
import { requireRoot } from "../require-root.ts";
import { networkContext } from "./app-network.ts";

const EXAMPLES = `
Examples:
  $ tsimg network prune -f
`;

/** `tsimg network prune`: the default network stays, as with docker. */
export function command(): Command {
  return new Command("network prune")
    .description("remove all networks that no running container is in")
    .option("-f, --force", "don't ask", false)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: { force: boolean }, command: Command) => {
      requireRoot("removing networks");
      if (!flags.force && !(await isConfirmed())) return;
      using app = openApp(command);
      app.containers.clearUp();
      const removed = pruneNetworks(networkContext(app));
      if (removed.length > 0)
        print(`Deleted Networks:\n${removed.map((name) => `${name}\n`).join("")}`);
    });
}

async function isConfirmed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new TsimgError("ERR_USAGE", "prune removes all networks that nobody is in", {
      hint: "nobody can be asked here: say so with --force",
    });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = "remove all networks that no running container is in? [y/N] ";
    return /^y(es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}
