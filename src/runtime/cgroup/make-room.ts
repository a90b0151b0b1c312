import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, tolerating } from "../../sys/errno.ts";
import type { CgroupPlan } from "./plan.ts";

/** Where processes are moved to, beside the containers' groups. */
const OUTSIDE = "tsimg-outside";
/** How often processes may appear in the group while it is being emptied. */
const ATTEMPTS = 20;

/**
 * Has the group in which containers' groups are made pass on the controllers that they need.
 *
 * The kernel lets a group other than the first do so only when no process is in it. Where a
 * user's shell is in the very group that was handed over, or this is a container that sees its
 * own group as the root, whatever is in there is moved to a group beside the containers'.
 *
 * What can't be had is left out: whether it was needed shows when a limit is written.
 *
 * @see Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint"
 */
export function makeRoom({ unified, writes }: Pick<CgroupPlan, "unified" | "writes">): void {
  if (unified === undefined) return;
  const file = join(unified, "cgroup.subtree_control");
  const passed = read(file).split(/\s+/);
  const lacking = writes
    .filter((write) => write.file === file && !passed.includes(write.value.slice(1)))
    .map(({ value }) => value);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const occupied = lacking.some((value) => write(file, value) === "EBUSY");
    if (!occupied || !moveProcesses(unified)) return;
  }
}

/** @returns whether each is elsewhere now, or gone */
function moveProcesses(group: string): boolean {
  const place = join(group, OUTSIDE);
  tolerating(["EEXIST", "EACCES", "EPERM"], () => mkdirSync(place));
  const processes = read(join(group, "cgroup.procs")).split("\n").filter(Boolean);
  const failures = processes.map((pid) => write(join(place, "cgroup.procs"), pid));
  return failures.every((code) => code === undefined || code === "ESRCH");
}

function read(path: string): string {
  return tolerating(["ENOENT", "EACCES", "EOPNOTSUPP"], () => readFileSync(path, "latin1")) ?? "";
}

/** @returns the error's code */
function write(path: string, value: string): string | undefined {
  try {
    writeFileSync(path, value, { flag: "r+" });
    return undefined;
  } catch (error) {
    return errorCode(error) ?? "";
  }
}
