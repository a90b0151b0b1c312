import type { Command } from "./command.ts";

export interface CommandModule {
  readonly command: () => Command;
}

/** Every command with the module that has it, in the order of the help. */
export const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  pull: () => import("./pull.ts"),
  run: () => import("./run.ts"),
  demo: () => import("./demo.ts"),
  images: () => import("./images.ts"),
  rmi: () => import("./rmi.ts"),
  ps: () => import("./ps.ts"),
  rm: () => import("./rm.ts"),
  logs: () => import("./logs.ts"),
  stop: () => import("./stop.ts"),
  kill: () => import("./kill.ts"),
  inspect: () => import("./inspect.ts"),
  info: () => import("./info.ts"),
  serve: () => import("./serve.ts"),
  version: () => import("./version-command.ts"),
};
