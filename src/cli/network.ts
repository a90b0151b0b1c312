import type { Command } from "./command.ts";
import { commandGroup } from "./command-group.ts";

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
  return commandGroup({
    name: "network",
    description: "networks that containers share",
    actions: {
      connect: () => import("./network/connect.ts"),
      create: () => import("./network/create.ts"),
      disconnect: () => import("./network/disconnect.ts"),
      inspect: () => import("./network/inspect.ts"),
      ls: () => import("./network/ls.ts"),
      prune: () => import("./network/prune.ts"),
      reload: () => import("./network/reload.ts"),
      rm: () => import("./network/rm.ts"),
    },
    aliases: { list: "ls", remove: "rm" },
    help: HELP,
  });
}
