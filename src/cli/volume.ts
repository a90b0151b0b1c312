import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { parseQuickly } from "./parse-quickly.ts";

const ACTIONS: Readonly<Record<string, () => Promise<{ readonly command: () => Command }>>> = {
  create: () => import("./volume/create.ts"),
  inspect: () => import("./volume/inspect.ts"),
  ls: () => import("./volume/ls.ts"),
  list: () => import("./volume/ls.ts"),
  prune: () => import("./volume/prune.ts"),
  rm: () => import("./volume/rm.ts"),
  remove: () => import("./volume/rm.ts"),
};

const HELP = `
Actions:
  create [name]      make a volume
  inspect <name...>  show volumes in detail
  ls                 list the volumes
  prune              remove those that no container uses
  rm <name...>       remove volumes

tsimg volume <action> --help shows the options of each.

Examples:
  $ tsimg volume create data
  $ tsimg run --rm -v data:/var/lib/data alpine ls /var/lib/data
  $ tsimg volume ls --filter dangling=true
  $ tsimg volume rm data
`;

/** `tsimg volume`: each action is a command of its own, in src/cli/volume. */
export function command(): Command {
  return new Command("volume")
    .description("directories that outlive containers")
    .argument("<action>", "create, inspect, ls, prune or rm")
    .argument("[arguments...]", "what the action needs")
    .passThroughOptions()
    .addHelpText("after", HELP)
    .action(async (action: string, words: string[], _flags: object, volume: Command) => {
      const load = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
      if (load === undefined)
        throw new TsimgError("ERR_USAGE", `there is no 'volume ${action.slice(0, 64)}'`, {
          hint: "there are create, inspect, ls, prune, rm",
        });
      const command = (await load()).command();
      const parsed = parseQuickly(command, words);
      if (parsed !== undefined) {
        await command.run(parsed.values, parsed.flags, volume.optsWithGlobals());
        return;
      }
      const { parseWithCommander } = await import("./commander.ts");
      const status = await parseWithCommander([command], [command.name, ...words]);
      if (status !== undefined) process.exitCode = status;
    });
}
