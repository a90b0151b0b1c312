import type { Command } from "./command.ts";
import { commandGroup } from "./command-group.ts";

const HELP = `
The actions are the commands of the same names.

Examples:
  $ tsimg system prune --volumes
`;

/** `tsimg system`: docker's other way to say some commands. */
export function command(): Command {
  return commandGroup({
    name: "system",
    description: "docker's longer names of events, info and prune",
    actions: {
      events: () => import("./events.ts"),
      info: () => import("./info.ts"),
      prune: () => import("./prune.ts"),
    },
    help: HELP,
  });
}
