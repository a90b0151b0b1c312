import type { Command } from "./command.ts";
import { commandGroup } from "./command-group.ts";

const HELP = `
ls is the command images, rm is rmi, the others have the same name.
Only prune is here alone: it removes images that nothing uses.

Examples:
  $ tsimg image ls
  $ tsimg image prune --all --filter until=240h
`;

/** `tsimg image`: docker's other way to say the commands for images. */
export function command(): Command {
  return commandGroup({
    name: "image",
    description: "docker's longer names of the commands for images, and image prune",
    actions: {
      history: () => import("./history.ts"),
      inspect: () => import("./image/inspect.ts"),
      ls: () => import("./images.ts"),
      prune: () => import("./image/prune.ts"),
      pull: () => import("./pull.ts"),
      rm: () => import("./rmi.ts"),
    },
    aliases: { list: "ls", remove: "rm" },
    help: HELP,
  });
}
