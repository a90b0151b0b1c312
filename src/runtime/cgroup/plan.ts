import { dirname, join } from "node:path";
import type { Resources } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import type { CgroupLayout } from "./detect.ts";
import { type CpusetFacts, type Setting, settingsV1 } from "./settings-v1.ts";
import { settingsV2 } from "./settings-v2.ts";

/** What a container's cgroups need, as file operations that a launcher performs without thinking. */
export interface CgroupPlan {
  /** Absolute, parents first. Made when missing; EEXIST is fine for parents that containers share. */
  readonly directories: readonly string[];
  /** Performed in order, after the directories are there and before a process joins. */
  readonly writes: readonly CgroupWrite[];
  /** Where the container's first process writes "0" to join. */
  readonly procsFiles: readonly string[];
  /** Directories to remove afterwards, deepest first. Parents that containers share stay. */
  readonly removals: readonly string[];
  /** A file with a line `oom_kill N`. */
  readonly oomFile?: string;
}

export interface CgroupWrite {
  readonly file: string;
  readonly value: string;
  /** Which wish this fulfils, for messages: `limit memory to 536870912 bytes`. */
  readonly why: string;
  /** A failure is no reason to give up. */
  readonly optional: boolean;
}

export interface CgroupRequest {
  readonly layout: CgroupLayout;
  /** The container's cgroup below each mount: `/tsimg/<id>`. */
  readonly path: string;
  readonly resources: Resources;
  /** Content of `cgroup.controllers` in the version 2 tree's root, when there is one. */
  readonly v2Controllers: string;
  /** Needed on version 1 when CPUs are chosen. */
  readonly cpuset?: CpusetFacts;
}

type Controller = "memory" | "devices" | "freezer" | "pids" | "cpu" | "cpuset";

/**
 * Joined whether or not something is limited: devices keeps the container from the host's
 * disks, memory tells whether it was killed for want of memory, freezer can pause it. Each
 * further hierarchy costs a container 0.1 ms; see docs/design/cgroups.md.
 */
const ALWAYS: readonly Controller[] = ["memory", "devices", "freezer"];

/**
 * Plans the cgroups of one container: on version 1 a directory in each hierarchy that it
 * needs, on version 2 one directory.
 *
 * @throws TsimgError ERR_KERNEL when a limit is asked for and its controller isn't there
 */
export function planCgroup(request: CgroupRequest): CgroupPlan {
  const { layout, path, resources } = request;
  const limited = limitedControllers(resources);
  const inV2 = new Set(request.v2Controllers.trim().split(/\s+/));
  const wanted = new Set<Controller>([...ALWAYS, ...limited]);
  const v1 = [...wanted].filter((name) => layout.v1.has(name));
  const v2 = [...wanted].filter((name) => !layout.v1.has(name) && inV2.has(name));
  const missing = [...limited].find((name) => !v1.includes(name) && !v2.includes(name));
  if (missing !== undefined) throw missingController(missing, layout);

  // On a machine with version 2 alone the group is useful without controllers: it can be
  // frozen and killed as a whole.
  const joinsUnified = v2.length > 0 || layout.kind === "v2";
  const unified = joinsUnified ? layout.unified : undefined;
  const v1Directories = v1.map((name) => join(layout.v1.get(name) ?? "", path));
  const leaves = [...new Set([...v1Directories, ...(unified ? [join(unified, path)] : [])])];
  const settings = [
    ...v1.flatMap((name) => settingsV1(name, layout.v1.get(name) ?? "", path, request)),
    ...(unified === undefined ? [] : settingsV2(unified, path, v2, resources)),
  ];
  const oomFile = oomFileOf(layout, path, v2.includes("memory"));
  return {
    directories: leaves.flatMap((leaf) => [dirname(leaf), leaf]),
    writes: settings.map(toWrite),
    procsFiles: leaves.map((leaf) => join(leaf, "cgroup.procs")),
    removals: leaves,
    ...(oomFile === undefined ? {} : { oomFile }),
  };
}

function limitedControllers(resources: Resources): ReadonlySet<Controller> {
  const limited = new Set<Controller>();
  if ((resources.memory?.limit ?? -1) >= 0) limited.add("memory");
  if ((resources.pids?.limit ?? 0) > 0) limited.add("pids");
  const cpu = resources.cpu ?? {};
  if (cpu.quota !== undefined || cpu.shares !== undefined) limited.add("cpu");
  if (cpu.cpus !== undefined || cpu.mems !== undefined) limited.add("cpuset");
  return limited;
}

function oomFileOf(layout: CgroupLayout, path: string, inV2: boolean): string | undefined {
  const v1 = layout.v1.get("memory");
  if (v1 !== undefined) return join(v1, path, "memory.oom_control");
  return inV2 && layout.unified ? join(layout.unified, path, "memory.events") : undefined;
}

function toWrite({ file, value, why, optional = false }: Setting): CgroupWrite {
  return { file, value, why, optional };
}

function missingController(name: Controller, layout: CgroupLayout): TsimgError {
  return new TsimgError("ERR_KERNEL", `cgroup controller "${name}" is not available here`, {
    hint:
      layout.kind === "none"
        ? "mount cgroups below /sys/fs/cgroup, or leave the limit out"
        : `mount the controller, or leave out the flag that limits ${name}`,
  });
}
