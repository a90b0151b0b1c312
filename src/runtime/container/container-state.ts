import { bootId, isAlive } from "../../store/process-identity.ts";
import { isFrozen } from "../cgroup/freeze.ts";
import type { ContainerOptions, ContainerRow, ContainerState, ExitRecord } from "./container.ts";
import { firstProcessOf, launcherOf, lostWith, readExit, readStarted } from "./launch-records.ts";
import { wantsRestart } from "./restart-policy.ts";

/**
 * What a container's launcher wrote and the kernel says of it now.
 *
 * @param directory its state directory
 * @returns undefined when it never came to run its program
 */
export function stateOf(
  row: ContainerRow,
  options: ContainerOptions,
  directory: string,
): ContainerState | undefined {
  if (row.exit !== null)
    return {
      status: "exited",
      exit: parseExit(row.exit),
      started: readStarted(directory),
    };
  // Before its record is read: a starter ends only after that is written.
  const starter = row.starter ?? row.owner;
  const isStarting = isAlive(starter);
  const started = readStarted(directory);
  // In this order: a container that ends in between is seen as running, not as lost.
  const attended = started !== undefined && isAlive(launcherOf(started));
  if (attended && isAlive(firstProcessOf(started)))
    return { status: "running", started, paused: isFrozen(options.cgroups) };
  const exit = readExit(directory);
  if (exit !== undefined && options.restart.name !== "no") {
    const again = (attended || isStarting) && row.stop_asked === 0;
    const restarting = again && wantsRestart(options.restart, exit, row.restarts);
    if (restarting) return { status: "restarting", starting: false, exit, started };
    return { status: "exited", exit, started };
  }
  // Its launcher writes its end and clears up.
  if (attended) return { status: "running", started, paused: false };
  if (exit !== undefined) return { status: "exited", exit, started };
  if (started !== undefined) return { status: "exited", exit: lostWith("launcher"), started };
  if (row.last_exit !== null && !isStarting)
    return { status: "exited", exit: cutOff(row.last_exit), started };
  if (row.last_exit !== null && row.restarts > 0)
    return { status: "restarting", starting: true, exit: parseExit(row.last_exit), started };
  const before = starter.split(":")[2] !== bootId();
  const ranBefore = before && row.starter !== null;
  if (isStarting || (row.ready === 1 && !ranBefore))
    return { status: "created", starting: isStarting };
  return before ? { status: "exited", exit: lostWith("machine"), started } : undefined;
}

/** Of a start whose process died before there was a launcher: it ended as the time before. */
function cutOff(lastExit: string): ExitRecord {
  const error = "it was started again, but whoever did so was killed";
  return { ...parseExit(lastExit), error };
}

function parseExit(text: string): ExitRecord {
  return JSON.parse(text) as ExitRecord;
}
