import type { Command } from "./command.ts";
import { commandGroup } from "./command-group.ts";

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
  return commandGroup({
    name: "volume",
    description: "directories that outlive containers",
    actions: {
      create: () => import("./volume/create.ts"),
      inspect: () => import("./volume/inspect.ts"),
      ls: () => import("./volume/ls.ts"),
      prune: () => import("./volume/prune.ts"),
      rm: () => import("./volume/rm.ts"),
    },
    aliases: { list: "ls", remove: "rm" },
    help: HELP,
  });
}
