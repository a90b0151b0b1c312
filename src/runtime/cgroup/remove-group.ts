import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import { thaw } from "./freeze.ts";
import { processesIn } from "./group-files.ts";

const ATTEMPTS = 100;
/** Milliseconds: a group goes once its last process is reaped, a moment after its death. */
const PAUSE = 10;

/**
 * Takes down the groups of a container that has ended, with what is left in them: processes
 * outlive its first one when they are in the host's PID namespace, or when its launcher was
 * killed and the kernel had no order to kill it, too; and a container may have made groups
 * below its own. What stays after a second of trying is left to the next command.
 */
export function removeCgroups(groups: readonly string[]): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const left = groups.filter((group) => existsSync(group));
    if (left.length === 0) return;
    if (attempt > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    const all = left.flatMap(withGroupsBelow);
    const pids = new Set(left.flatMap((group) => processesIn([group])));
    for (const pid of pids) tolerating(["ESRCH"], () => process.kill(pid, "SIGKILL"));
    // A process that is frozen can't die.
    for (const group of all) thaw([group]);
    for (const group of all) tolerating(["EBUSY", "ENOENT", "ENOTEMPTY"], () => rmdirSync(group));
  }
}

/** The deepest first, as they can be removed. */
function withGroupsBelow(group: string): readonly string[] {
  const entries = tolerating(["ENOENT"], () => readdirSync(group, { withFileTypes: true })) ?? [];
  const below = entries.filter((entry) => entry.isDirectory());
  return [...below.flatMap(({ name }) => withGroupsBelow(join(group, name))), group];
}
