import { existsSync, rmdirSync, rmSync } from "node:fs";
import { identityOf, isAlive } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import { sleep } from "../../sys/sleep.ts";
import { thaw } from "../cgroup/freeze.ts";
import { processesIn } from "../cgroup/group-files.ts";
import { runHooks } from "./hooks.ts";
import type { OciContainer } from "./oci-container.ts";

/** How long a cgroup may stay busy with processes that are being taken down, in ms. */
const PATIENCE = 5000;

/**
 * Removes a container that is stopped, or with `force` any: its processes, its cgroups, its
 * directory.
 *
 * @throws TsimgError ERR_STATE, ERR_NO_SUCH_CONTAINER
 */
export async function deleteContainer(container: OciContainer, force: boolean): Promise<void> {
  const { cgroups, spec } = container.record();
  // One that was never started has done nothing that could be lost.
  if (!force) container.mustAllow("delete", "stopped", "creating", "created");
  killAll(container);
  const { started } = container;
  const end = Date.now() + PATIENCE;
  const lives = () =>
    started !== undefined && isAlive(identityOf(started.pid, started.startTime, started.bootId));
  while (lives() && Date.now() < end) await sleep(5);
  for (const group of cgroups) await removeGroup(group, end);
  const state = { ...container.state(), status: "stopped" as const, pid: 0 };
  rmSync(container.directory, { recursive: true, force: true });
  runHooks(spec, "poststop", state);
}

/** Kills what is left in the container's cgroups: without a PID namespace it outlives the first. */
export function killAll(
  container: OciContainer,
  signal: NodeJS.Signals | number = "SIGKILL",
): void {
  const { cgroups } = container.record();
  const { started } = container;
  const first =
    started !== undefined && isAlive(identityOf(started.pid, started.startTime, started.bootId))
      ? [started.pid]
      : [];
  for (const pid of new Set([...first, ...processesIn(cgroups)]))
    tolerating(["ESRCH"], () => process.kill(pid, signal));
  thaw(cgroups);
}

async function removeGroup(group: string, end: number): Promise<void> {
  while (existsSync(group)) {
    const gone = tolerating(["EBUSY", "ENOENT"], () => rmdirSync(group) ?? true);
    if (gone === true || Date.now() >= end) return;
    await sleep(5);
  }
}
