import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Resources } from "../../oci/linux-resources.ts";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { readGroupNumber } from "../cgroup/group-files.ts";
import { type CgroupWrite, planCgroup } from "../cgroup/plan.ts";
import { readDeviceNumbers } from "../device-numbers.ts";
import { readJoinedCgroups } from "../host-facts.ts";
import type { LimitFlags } from "../limit-flags.ts";
import { changedLimits } from "../limits.ts";

/** A container whose limits are to change. */
export interface LimitedContainer {
  readonly name: string;
  readonly running: boolean;
  /** Directories of its cgroups; an ordinary user's may have none. */
  readonly cgroups: readonly string[];
  /** `linux.cgroupsPath` of its spec. */
  readonly cgroupsPath: string;
  /** What holds now. */
  readonly resources: Resources;
}

/**
 * Gives a container other limits, at once when it runs.
 *
 * @returns what holds from now on, to be kept by the caller
 * @throws TsimgError ERR_USAGE for flags that make no sense, ERR_STATE when a container that
 *   runs can't have them; everything is then as before
 */
export function updateLimits(container: LimitedContainer, flags: LimitFlags): Resources {
  const { resources, cgroups, cgroupsPath, name, running } = container;
  refuseFixed(flags);
  const wanted = changedLimits(flags, resources, readDeviceNumbers(flags));
  if (!running) return wanted;
  const changes = difference(resources, wanted);
  const choosesCpus = (changes.cpu?.cpus ?? changes.cpu?.mems) !== undefined;
  const plan = planCgroup({
    ...readJoinedCgroups(cgroups, cgroupsPath, choosesCpus),
    path: cgroupsPath,
    resources: changes,
    raisesMemory: raisesMemory(cgroups, changes),
  });
  const groupsToJoin = plan.removals.filter((group) => !cgroups.includes(group));
  const foreign = plan.writes.find(({ file }) => groupsToJoin.includes(dirname(file)));
  if (foreign !== undefined) throw notJoined(name, foreign);
  checkMemory(name, cgroups, changes);
  applyWrites(plan.writes, name);
  return wanted;
}

/** What is set when a container is made, and not again. */
function refuseFixed(flags: LimitFlags): void {
  const fixed = [
    ["--cgroup-parent", flags.cgroupParent],
    ["--device-cgroup-rule", flags.deviceCgroupRule?.[0]],
  ] as const;
  const given = fixed.find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new TsimgError("ERR_USAGE", `${given[0]} can't be changed`, {
    hint: "remove the container and run it anew",
  });
}

/** The parts that have changed, whole: a part's numbers depend on each other. */
function difference(before: Resources, after: Resources): Resources {
  const names = ["memory", "cpu", "pids", "blockIO"] as const;
  const changed = names.filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return Object.fromEntries(changed.map((name) => [name, after[name]]));
}

/** Whether the limits of groups that are there get higher: version 1 wants another order then. */
export function raisesMemory(cgroups: readonly string[], { memory }: Resources): boolean {
  const now = readGroupNumber(cgroups, "memory.limit_in_bytes");
  const { limit = -1, swap = -1 } = memory ?? {};
  return now !== undefined && (limit < 0 || swap < 0 || limit > now);
}

/** Version 2 would make a limit true by killing; version 1 refuses by itself. */
function checkMemory(name: string, cgroups: readonly string[], { memory }: Resources): void {
  const used = readGroupNumber(cgroups, "memory.current");
  const limit = memory?.limit ?? -1;
  if (memory?.checkBeforeUpdate !== true || used === undefined || limit < 0 || limit > used) return;
  throw new TsimgError("ERR_STATE", `container '${name}' uses ${used} bytes of memory already`, {
    hint: "choose a limit above that, or stop the container first",
  });
}

/** Writes one after the other; when one fails, those before it are taken back. */
export function applyWrites(writes: readonly CgroupWrite[], name: string): void {
  const undo: (() => void)[] = [];
  for (const write of writes) {
    const { file, value } =
      write.instead === undefined || existsSync(write.file) ? write : write.instead;
    const before = tolerating(["ENOENT", "EINVAL"], () => readFileSync(file, "latin1"));
    try {
      writeFileSync(file, value, { flag: "r+" });
    } catch (cause) {
      const code = errorCode(cause);
      if (write.optional && (code === "ENOENT" || isPassingOn(file))) continue;
      for (const step of undo) takeBack(step);
      throw new TsimgError("ERR_STATE", `can't ${write.why} for container '${name}'`, {
        cause,
        hint: hintFor(code, file),
      });
    }
    undo.unshift(() => writeFileSync(file, before?.trim() ?? ""));
  }
}

/** Whether a controller was needed shows when its own file is written. */
function isPassingOn(file: string): boolean {
  return basename(file) === "cgroup.subtree_control";
}

/** Best effort: the error that led here is the one to tell. */
function takeBack(step: () => void): void {
  try {
    step();
  } catch {}
}

function hintFor(code: string | undefined, file: string): string {
  if (code === "EBUSY") return "the container uses more than that now";
  if (code === "ENOENT")
    return `there is no "${file}": the container has ended, or this kernel lacks it`;
  return `the kernel answered ${code ?? "with an error"} for "${file}"`;
}

function notJoined(name: string, { why }: CgroupWrite): TsimgError {
  return new TsimgError("ERR_STATE", `can't ${why} for container '${name}' while it runs`, {
    hint: "it is in no cgroup that limits this, and can't enter one now: start it with such a limit",
  });
}
