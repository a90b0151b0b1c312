import type { Command } from "./command.ts";
import { commandGroup } from "./command-group.ts";

const HELP = `
Each action is the command of that name, ls is ps; tsimg <action> --help shows its options.
Only prune is here alone: it removes all containers that don't run.

Examples:
  $ tsimg container ls --all
  $ tsimg container prune --force
`;

/** `tsimg container`: docker's other way to say the commands for containers. */
export function command(): Command {
  return commandGroup({
    name: "container",
    description: "docker's longer names of the commands for containers, and container prune",
    actions: {
      attach: () => import("./attach.ts"),
      cp: () => import("./cp.ts"),
      create: () => import("./create.ts"),
      exec: () => import("./exec.ts"),
      inspect: () => import("./container/inspect.ts"),
      kill: () => import("./kill.ts"),
      logs: () => import("./logs.ts"),
      ls: () => import("./ps.ts"),
      pause: () => import("./pause.ts"),
      port: () => import("./port.ts"),
      prune: () => import("./container/prune.ts"),
      rename: () => import("./rename.ts"),
      restart: () => import("./restart.ts"),
      rm: () => import("./rm.ts"),
      run: () => import("./run.ts"),
      start: () => import("./start.ts"),
      stats: () => import("./stats.ts"),
      stop: () => import("./stop.ts"),
      top: () => import("./top.ts"),
      unpause: () => import("./unpause.ts"),
      update: () => import("./update.ts"),
      wait: () => import("./wait.ts"),
    },
    aliases: { list: "ls", ps: "ls", remove: "rm" },
    help: HELP,
  });
}
