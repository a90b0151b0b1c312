import type { Command } from "./command.ts";

export interface CommandModule {
  readonly command: () => Command;
}

/** Every command with the module that has it, in the order of the help. */
export const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  pull: () => import("./pull.ts"),
  run: () => import("./run.ts"),
  create: () => import("./create.ts"),
  start: () => import("./start.ts"),
  bundle: () => import("./bundle.ts"),
  demo: () => import("./demo.ts"),
  images: () => import("./images.ts"),
  rmi: () => import("./rmi.ts"),
  history: () => import("./history.ts"),
  tree: () => import("./tree.ts"),
  which: () => import("./which.ts"),
  mount: () => import("./mount.ts"),
  umount: () => import("./umount.ts"),
  ps: () => import("./ps.ts"),
  rm: () => import("./rm.ts"),
  prune: () => import("./prune.ts"),
  logs: () => import("./logs.ts"),
  exec: () => import("./exec.ts"),
  attach: () => import("./attach.ts"),
  wait: () => import("./wait.ts"),
  restart: () => import("./restart.ts"),
  stop: () => import("./stop.ts"),
  kill: () => import("./kill.ts"),
  rename: () => import("./rename.ts"),
  events: () => import("./events.ts"),
  pause: () => import("./pause.ts"),
  unpause: () => import("./unpause.ts"),
  update: () => import("./update.ts"),
  stats: () => import("./stats.ts"),
  top: () => import("./top.ts"),
  container: () => import("./container.ts"),
  image: () => import("./image.ts"),
  system: () => import("./system.ts"),
  inspect: () => import("./inspect.ts"),
  cp: () => import("./cp.ts"),
  volume: () => import("./volume.ts"),
  port: () => import("./port.ts"),
  network: () => import("./network.ts"),
  pool: () => import("./pool.ts"),
  doctor: () => import("./doctor.ts"),
  bench: () => import("./bench.ts"),
  info: () => import("./info.ts"),
  oci: () => import("./oci.ts"),
  serve: () => import("./serve.ts"),
  version: () => import("./version-command.ts"),
};

/** Called by tsimg itself; they stand in no help. */
const INTERNAL: typeof COMMANDS = {
  "container-ended": () => import("./container-ended.ts"),
};

export function commandNamed(name: string): (typeof COMMANDS)[string] | undefined {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name];
  return Object.hasOwn(INTERNAL, name) ? INTERNAL[name] : undefined;
}
