import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { parseQuickly } from "./parse-quickly.ts";

const ACTIONS: Readonly<Record<string, () => Promise<{ readonly command: () => Command }>>> = {
  connect: () => import("./network/connect.ts"),
  create: () => import("./network/create.ts"),
  disconnect: () => import("./network/disconnect.ts"),
  inspect: () => import("./network/inspect.ts"),
  ls: () => import("./network/ls.ts"),
  prune: () => import("./network/prune.ts"),
  reload: () => import("./network/reload.ts"),
  rm: () => import("./network/rm.ts"),
};

const OTHER_NAMES: Readonly<Record<string, string>> = { list: "ls", remove: "rm" };

const HELP = `
Actions:
  create <name>                    make a network
  ls                               list the networks
  inspect <network...>             print all that is known of networks
  connect <network> <container>    put a running container into one more network
  disconnect <network> <container> take a running container out of one
  rm <network...>                  remove networks that nobody is in
  prune                            remove all networks that nobody is in
  reload                           write the firewall's table anew, after somebody emptied it

tsimg network <action> --help shows the options of each.

Examples:
  $ tsimg network create --ipv6 blue
  $ tsimg run -d --network blue --name db alpine sleep 1h
  $ tsimg run --rm --network blue alpine ping -c1 db
`;

/** `tsimg network`: each action is a command of its own, in src/cli/network. */
export function command(): Command {
  return new Command("network")
    .description("networks that containers share")
    .argument("<action>", "create, ls, inspect, connect, disconnect, rm, prune or reload")
    .argument("[arguments...]", "what the action needs")
    .passThroughOptions()
    .addHelpText("after", HELP)
    .action(async (action: string, words: string[], _flags: object, network: Command) => {
      const name = OTHER_NAMES[action] ?? action;
      const load = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
      if (load === undefined)
        throw new TsimgError("ERR_USAGE", `there is no 'network ${action.slice(0, 64)}'`, {
          hint: `there are ${Object.keys(ACTIONS).join(", ")}`,
        });
      const command = (await load()).command();
      const parsed = parseQuickly(command, words);
      if (parsed !== undefined) {
        await command.run(parsed.values, parsed.flags, network.optsWithGlobals());
        return;
      }
      const { parseWithCommander } = await import("./commander.ts");
      const status = await parseWithCommander([command], [command.name, ...words]);
      if (status !== undefined) process.exitCode = status;
    });
}
