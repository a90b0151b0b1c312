import { TsimgError } from "../../sys/error.ts";
import { freeze, isFreezing, isFrozen, thaw } from "../cgroup/freeze.ts";
import type { Container } from "./container.ts";

/**
 * Stops every process of a container where it stands.
 * @throws TsimgError ERR_STATE when it isn't running, or paused already
 */
export async function pauseContainer(container: Container, signal: AbortSignal): Promise<void> {
  const { cgroups } = runningOptions(container);
  if (isFrozen(cgroups))
    throw new TsimgError("ERR_STATE", `container '${container.row.name}' is already paused`);
  await freeze(cgroups, signal);
}

/**
 * Lets a paused container go on, also one whose pausing was cut short.
 * @throws TsimgError ERR_STATE when it isn't paused
 */
export function unpauseContainer(container: Container): void {
  const { cgroups } = runningOptions(container);
  if (!isFreezing(cgroups))
    throw new TsimgError("ERR_STATE", `container '${container.row.name}' is not paused`);
  thaw(cgroups);
}

/** @throws TsimgError ERR_STATE when the container isn't running */
export function runningOptions({ state, options, row }: Container): Container["options"] {
  if (state.status === "running") return options;
  throw new TsimgError("ERR_STATE", `container '${row.name}' is not running`);
}
