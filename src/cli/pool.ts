import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { parseQuickly } from "./parse-quickly.ts";

const ACTIONS: Readonly<Record<string, () => Promise<{ readonly command: () => Command }>>> = {
  create: () => import("./pool/create.ts"),
  ls: () => import("./pool/ls.ts"),
  rm: () => import("./pool/rm.ts"),
};

const HELP = `
Actions:
  create <name>   make a pool in a file
  ls              list the pools
  rm <name>       take a pool away with its file

tsimg pool <action> --help shows the options of each.

Examples:
  $ tsimg pool create fast --driver btrfs --size 20G
  $ tsimg run --rm --driver btrfs:fast alpine true
  $ tsimg pool ls
  $ tsimg pool rm fast
`;

/** `tsimg pool`: each action is a command of its own, in src/cli/pool. */
export function command(): Command {
  return new Command("pool")
    .description("places for snapshots in files: zfs, btrfs, xfs, devicemapper")
    .argument("<action>", "create, ls or rm")
    .argument("[arguments...]", "what the action needs")
    .passThroughOptions()
    .addHelpText("after", HELP)
    .action(async (action: string, words: string[], _flags: object, pool: Command) => {
      const load = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
      if (load === undefined)
        throw new TsimgError("ERR_USAGE", `there is no 'pool ${action.slice(0, 64)}'`, {
          hint: `there are ${Object.keys(ACTIONS).join(", ")}`,
        });
      const command = (await load()).command();
      const parsed = parseQuickly(command, words);
      if (parsed !== undefined) {
        await command.run(parsed.values, parsed.flags, pool.optsWithGlobals());
        return;
      }
      const { parseWithCommander } = await import("./commander.ts");
      const status = await parseWithCommander([command], [command.name, ...words]);
      if (status !== undefined) process.exitCode = status;
    });
}
