import { isAlive } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import type { ContainerState } from "./container.ts";
import { firstProcessOf } from "./launch-records.ts";

/**
 * Ends a first process whose launcher was killed. The kernel does, as a rule; but it forgets that
 * it is to as a program comes under an AppArmor profile.
 */
export function endOrphan(state: ContainerState | undefined): void {
  if (state?.status !== "exited" || state.started === undefined) return;
  const { started } = state;
  if (!isAlive(firstProcessOf(started))) return;
  tolerating(["ESRCH"], () => process.kill(started.pid, "SIGKILL"));
}
