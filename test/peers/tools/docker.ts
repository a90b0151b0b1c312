import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import { startDaemon } from "./daemon.ts";
import type { Tool, ToolOptions } from "./tool.ts";

/** Starts a `dockerd` that leaves the machine's network and other dockers alone. */
export async function startDocker(options: ToolOptions): Promise<Tool> {
  const host = `unix://${join(options.state, "docker.sock")}`;
  const docker = ["docker", "--host", host];
  const network = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const daemon = await startDaemon({
    argv: [
      ...(options.launch ?? []),
      ...["dockerd", "--host", host, "--storage-driver", "overlay2"],
      ...["--data-root", options.store, "--exec-root", join(options.state, "exec")],
      ...["--pidfile", join(options.state, "docker.pid")],
      ...["--cgroup-parent", options.cgroupParent],
      ...[...network, "--ip-forward=false", "--ip-masq=false"],
    ],
    log: join(options.state, "dockerd.log"),
    ready: [...docker, "version"],
  });
  return {
    name: "docker",
    hasDaemon: true,
    pull: (reference) => ({ argv: [...docker, "pull", "--quiet", reference] }),
    run: (reference, command) => ({
      argv: [...docker, "run", "--rm", "--network", "none", reference, ...command],
    }),
    async forget(reference) {
      await outputOf([...docker, "image", "rm", "--force", reference]);
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
