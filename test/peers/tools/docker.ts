import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import { startDaemon } from "./daemon.ts";
import type { Tool, ToolOptions } from "./tool.ts";

/**
 * Starts a `dockerd` that leaves other dockers alone.
 *
 * @param ownNetwork whether it is in a network namespace made for it; else it leaves the
 *                   machine's network alone, too, and has no bridge
 */
export async function startDocker(options: ToolOptions, ownNetwork = false): Promise<Tool> {
  const host = `unix://${join(options.state, "docker.sock")}`;
  const docker = ["docker", "--host", host];
  const network = ownNetwork
    ? []
    : ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"];
  const daemon = await startDaemon({
    argv: [
      ...(options.launch ?? []),
      ...["dockerd", "--host", host, "--storage-driver", "overlay2"],
      ...["--data-root", options.store, "--exec-root", join(options.state, "exec")],
      ...["--pidfile", join(options.state, "docker.pid")],
      ...["--cgroup-parent", options.cgroupParent],
      ...network,
    ],
    log: join(options.state, "dockerd.log"),
    ready: [...docker, "version"],
  });
  return {
    name: "docker",
    hasDaemon: true,
    pull: (reference) => ({ argv: [...docker, "pull", "--quiet", reference] }),
    run: (reference, command, network = "none") => ({
      argv: [...docker, "run", "--rm", "--network", network, reference, ...command],
    }),
    detach: (reference, command) => ({
      argv: [...docker, "run", "-d", "--network", "none", reference, ...command],
    }),
    hasBridge: network.length === 0,
    async forget(reference) {
      await outputOf([...docker, "image", "rm", "--force", reference]);
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
