import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import { startDaemon } from "./daemon.ts";
import type { Tool, ToolOptions } from "./tool.ts";

/** Starts a `containerd` of its own, driven by its own client `ctr`. */
export async function startContainerd(options: ToolOptions): Promise<Tool> {
  const config = join(options.state, "containerd.toml");
  const socket = join(options.state, "containerd.sock");
  await writeFile(config, containerdConfig(options, socket));
  const ctr = ["ctr", "--address", socket];
  const daemon = await startDaemon({
    argv: [...(options.launch ?? []), "containerd", "--config", config],
    log: join(options.state, "containerd.log"),
    ready: [...ctr, "version"],
  });
  let containers = 0;
  const runWith = (flag: string, reference: string, command: readonly string[]) => {
    containers += 1;
    const id = `c${containers}`;
    const cgroup = `${options.cgroupParent}/${id}`;
    return { argv: [...ctr, "run", flag, "--cgroup", cgroup, reference, id, ...command] };
  };
  return {
    name: "containerd",
    hasDaemon: true,
    pull: (reference) => ({ argv: [...ctr, "images", "pull", "--plain-http", reference] }),
    run: (reference, command) => runWith("--rm", reference, command),
    detach: (reference, command) => runWith("--detach", reference, command),
    hasBridge: false,
    async forget(reference) {
      await outputOf([...ctr, "images", "rm", "--sync", reference]);
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** Kubernetes' plug-in is off: it would want a network configuration. */
function containerdConfig(options: ToolOptions, socket: string): string {
  return [
    "version = 2",
    `root = ${JSON.stringify(options.store)}`,
    `state = ${JSON.stringify(join(options.state, "containerd"))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    "[grpc]",
    `address = ${JSON.stringify(socket)}`,
    '[plugins."io.containerd.internal.v1.opt"]',
    `path = ${JSON.stringify(join(options.store, "opt"))}`,
    "",
  ].join("\n");
}
