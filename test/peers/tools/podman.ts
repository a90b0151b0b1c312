import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import type { Tool, ToolOptions } from "./tool.ts";

/** Podman with its own store; it has no daemon. */
export async function openPodman(options: ToolOptions): Promise<Tool> {
  const podman = [
    ...["podman", "--root", options.store, "--runroot", join(options.state, "run")],
    ...["--tmpdir", join(options.state, "tmp"), "--storage-driver", "overlay"],
    ...["--cgroup-manager", "cgroupfs", "--events-backend", "file"],
    ...["--network-config-dir", join(options.state, "networks")],
  ];
  await outputOf([...podman, "info"]);
  return {
    name: "podman",
    hasDaemon: false,
    pull: (reference) => ({
      argv: [...podman, "pull", "--quiet", "--tls-verify=false", reference],
    }),
    run: (reference, command, network = "none") => ({
      argv: [
        ...[...podman, "run", "--rm", "--network", network === "none" ? "none" : "podman"],
        ...["--cgroup-parent", options.cgroupParent, reference, ...command],
      ],
    }),
    detach: (reference, command) => ({
      argv: [
        ...[...podman, "run", "-d", "--network", "none"],
        ...["--cgroup-parent", options.cgroupParent, reference, ...command],
      ],
    }),
    hasBridge: true,
    async forget(reference) {
      await outputOf([...podman, "image", "rm", "--force", reference]);
    },
    async [Symbol.asyncDispose]() {
      // Unmounts the store, which podman keeps bind-mounted on itself.
      await outputOf([...podman, "system", "reset", "--force"]).catch(() => undefined);
    },
  };
}
