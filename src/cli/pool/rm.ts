import { PoolManager } from "../../storage/pool/pool-manager.ts";
import { TsimgError } from "../../sys/error.ts";
import { Command } from "../command.ts";
import { eachNamed } from "../each-named.ts";
import { openApp } from "../globals.ts";
import { requireRoot } from "../require-root.ts";

const EXAMPLES = `
Examples:
  $ tsimg pool rm fast
  $ tsimg pool rm --force fast copies
`;

/** `tsimg pool rm` */
export function command(): Command {
  return new Command("pool rm")
    .description("take pools away with their files; those that hold something stay")
    .argument("<name...>", "names of pools")
    .option("-f, --force", "don't ask", false)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: { force: boolean }, command: Command) => {
      requireRoot("removing a pool");
      using app = openApp(command);
      const pools = new PoolManager(app.database, app.paths);
      const { debug } = command.optsWithGlobals<{ debug?: true }>();
      process.exitCode = await eachNamed(names, debug === true, async (name) => {
        const { file } = pools.rows.ready(name);
        if (!flags.force && !(await isConfirmed(name, file))) return "";
        app.snapshots.recover();
        pools.remove(name);
        return name;
      });
    });
}

async function isConfirmed(name: string, file: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new TsimgError("ERR_USAGE", `removing pool '${name}' deletes '${file}'`, {
      hint: "nobody can be asked here: say so with --force",
    });
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`remove pool '${name}' and delete ${file}? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
