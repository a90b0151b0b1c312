import { TsimgError } from "../../sys/error.ts";
import type { Container } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { foreignProcess } from "./foreign-runtime.ts";

/** The container's first process. @throws TsimgError ERR_STATE when it doesn't run */
export function firstProcess(
  containers: Pick<ContainerStore, "stateDirectory">,
  { row, state, options }: Container,
): number {
  if (state.status !== "running")
    throw new TsimgError("ERR_STATE", `container '${row.name}' is not running`, {
      hint: `start it first with "tsimg start ${row.name}"`,
    });
  // There the launcher's child is the runtime, in namespaces that are mostly the host's.
  const isForeign = (options.runtime ?? null) !== null;
  return isForeign
    ? foreignProcess(containers.stateDirectory(row.id), row.name)
    : state.started.pid;
}
