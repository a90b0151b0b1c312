import { constants } from "node:os";
import { TsimgError } from "../../sys/error.ts";
import { sleep } from "../../sys/sleep.ts";
import type { Container, ContainerOptions, ContainerRow } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { ended, signalContainer } from "./signals.ts";

/** Milliseconds between two looks at a container that another command is busy with. */
const POLL = 20;

/**
 * Removes a container; with `force` one that runs is killed first, and one that doesn't
 * exist is no error.
 *
 * @param removeAnonymous whether volumes that nobody named go with it
 * @returns whether there was one
 * @throws TsimgError ERR_NO_SUCH_CONTAINER, ERR_IN_USE
 */
export async function removeContainer(
  containers: ContainerStore,
  name: string,
  force: boolean,
  signal: AbortSignal,
  removeAnonymous = false,
): Promise<boolean> {
  const container = find(containers, name, force);
  if (container === undefined) return false;
  const { row } = container;
  // From here on its restart policy has no say.
  if (force) containers.askToStop(row.id);
  while (!containers.claimRemoval(row.id)) {
    const now = containers.find(row.id);
    if (now === undefined) return true;
    if (!force) throw inUse(now);
    if (now.state.status !== "running") {
      // Just being started, or removed by another command.
      await sleep(POLL, signal);
      continue;
    }
    signalContainer(now, constants.signals.SIGKILL);
    containers.tell(row, "kill", { signal: String(constants.signals.SIGKILL) });
    await ended(now, Number.POSITIVE_INFINITY, signal);
    // Tells of its end. One with --rm goes with the look.
    if (containers.find(row.id) === undefined) return true;
  }
  containers.remove(row, container.options, removeAnonymous || undefined);
  return true;
}

function inUse({ row, state }: Container): TsimgError {
  if (state.status === "created")
    return new TsimgError("ERR_IN_USE", `container '${row.name}' is just being started`, {
      hint: "try again in a moment",
    });
  return new TsimgError("ERR_IN_USE", `container '${row.name}' is running`, {
    hint: `stop it first with "tsimg stop ${row.name}", or use --force`,
  });
}

/**
 * Removes a container with `--rm` whose program has ended; its launcher may still live.
 *
 * @throws TsimgError ERR_IN_USE when it hasn't ended
 */
export function removeEnded(containers: ContainerStore, id: string): void {
  const sql = "select * from containers where id = ?";
  const row = containers.database.get<ContainerRow>(sql, id);
  if (row === undefined) return;
  const exit = containers.exitOf(id);
  if (exit === undefined)
    throw new TsimgError("ERR_IN_USE", `container '${row.name}' has not ended`);
  containers.remove(row, JSON.parse(row.options) as ContainerOptions, true, exit);
}

function find(containers: ContainerStore, name: string, force: boolean) {
  try {
    return containers.existing(name);
  } catch (error) {
    const missing = error instanceof TsimgError && error.code === "ERR_NO_SUCH_CONTAINER";
    if (force && missing) return undefined;
    throw error;
  }
}
