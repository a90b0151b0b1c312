import { writeFileSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { sleep } from "../../sys/sleep.ts";
import { withoutGroups } from "./delegation.ts";
import { groupFile, readGroupFile, readGroupTable } from "./group-files.ts";

/** Milliseconds between two looks, and how long stopping may take: one in D state can't. */
const POLL = 5;
const PATIENCE = 10_000;
/** Version 1 can get stuck half way when a process forks meanwhile: then it is begun anew. */
const RETRY = 200;

/** Whether every process of these groups stands still. */
export function isFrozen(groups: readonly string[]): boolean {
  const v1 = readGroupFile(groups, "freezer.state");
  if (v1 !== undefined) return v1 === "FROZEN";
  return readGroupTable(groups, "cgroup.events").get("frozen") === 1;
}

/** Whether they were told to stand still, and perhaps don't yet: whoever told may be gone. */
export function isFreezing(groups: readonly string[]): boolean {
  const v1 = readGroupFile(groups, "freezer.state");
  if (v1 !== undefined) return v1 !== "THAWED";
  return readGroupFile(groups, "cgroup.freeze") === "1";
}

/**
 * Stops every process of these groups, and answers when they all stand still.
 *
 * @throws TsimgError ERR_KERNEL when they can't be frozen; ERR_STATE when one doesn't stop:
 *   all then run on
 */
export async function freeze(groups: readonly string[], signal: AbortSignal): Promise<void> {
  const start = Date.now();
  let begun = Number.NEGATIVE_INFINITY;
  while (!isFrozen(groups)) {
    if (Date.now() - start > PATIENCE) {
      thaw(groups);
      throw new TsimgError("ERR_STATE", "a process of the container can't be stopped", {
        hint: "it waits in the kernel, perhaps for a disk or a network file system",
      });
    }
    if (Date.now() - begun > RETRY) {
      if (begun > 0) thaw(groups);
      stop(groups);
      begun = Date.now();
    }
    try {
      await sleep(POLL, signal);
    } catch (error) {
      thaw(groups);
      throw error;
    }
  }
}

/** Lets them go on; no error when they do already or are gone. */
export function thaw(groups: readonly string[]): void {
  const found = switchOf(groups);
  // After a SIGKILL the launcher is just about to remove them.
  if (found !== undefined)
    tolerating(["ENOENT", "ENODEV"], () => writeFileSync(found.file, found.off));
}

/** The file that stops the groups, with what is written to it; undefined where there is none. */
function switchOf(groups: readonly string[]) {
  const v1 = groupFile(groups, "freezer.state");
  if (v1 !== undefined) return { file: v1, on: "FROZEN", off: "THAWED" };
  const v2 = groupFile(groups, "cgroup.freeze");
  return v2 === undefined ? undefined : { file: v2, on: "1", off: "0" };
}

function stop(groups: readonly string[]): void {
  const found = switchOf(groups);
  if (found !== undefined) return writeFileSync(found.file, found.on);
  if (groups.length === 0) throw withoutGroups("paused");
  throw new TsimgError("ERR_KERNEL", "no cgroup of the container can be frozen", {
    hint: "it needs the freezer controller of version 1, or version 2 since Linux 5.2",
  });
}
