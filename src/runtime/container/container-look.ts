import type { Container, ContainerOptions, ContainerRow, ContainerState } from "./container.ts";
import { stateOf } from "./container-state.ts";

/** A container as it is; without a state it was never there. */
export type Look = Omit<Container, "state"> & { readonly state: ContainerState | undefined };

/** @param directory its state directory */
export function lookAt(row: ContainerRow, directory: string): Look {
  const options = JSON.parse(row.options) as ContainerOptions;
  return { row, options, state: stateOf(row, options, directory) };
}

/** Whether there is something to write down or to clear up. */
export function isUnsettled(look: Look): boolean {
  return isGone(look) || (look.state?.status === "exited" && look.row.exit === null);
}

/** Whether nothing of it is to be kept. */
export function isGone({ row, state }: Look): boolean {
  return state === undefined || (state.status === "exited" && row.auto_remove === 1);
}

/** What a look saw that found something to keep. */
export function asContainer({ row, options, state }: Look): Container {
  if (state === undefined) throw new Error(`container '${row.id}' was never there`);
  return { row, options, state };
}

/** Whether a process is starting a container right now. */
export function isStarting({ state }: Container): boolean {
  return (state.status === "created" || state.status === "restarting") && state.starting;
}

/** Whether nothing keeps a container: it doesn't run, and nobody is about to start it. */
export function isStopped({ state }: Container): boolean {
  return state.status === "exited" || (state.status === "created" && !state.starting);
}
