import { join } from "node:path";
import type { DeviceRule, Resources } from "../../oci/linux-resources.ts";
import { TsimgError } from "../../sys/error.ts";
import {
  type Controller,
  limitedControllers,
  nameInV2,
  unifiedControllers,
} from "./controllers.ts";
import { notDelegated } from "./delegation.ts";
import type { CgroupLayout } from "./detect.ts";
import type { Setting } from "./setting.ts";
import { type CpusetFacts, settingsV1 } from "./settings-v1.ts";
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
  /** Root of the version 2 tree that it uses. */
  readonly unified?: string;
  /** A version 2 group, and which devices its program is to let through. */
  readonly deviceProgram?: { readonly directory: string; readonly rules: readonly DeviceRule[] };
}

export interface CgroupWrite extends Setting {
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
  /** Whether the container may get any limit later, and be measured in every way. */
  readonly joinsAll?: boolean;
  /** For a group that exists: its memory gets a higher limit than it has. */
  readonly raisesMemory?: boolean;
}

/**
 * Joined whether or not something is limited: devices keeps the container from the host's
 * disks, memory tells whether it was killed for want of memory, freezer can pause it. Each
 * further hierarchy costs a container 0.1 ms; see docs/design/cgroups.md.
 */
const ALWAYS: readonly Controller[] = ["memory", "devices", "freezer"];

/** With version 2 alone a further controller is no further group: processes are counted too. */
const ALWAYS_IN_V2: readonly Controller[] = ["memory", "pids"];

/** What whoever calls an OCI runtime changes and measures while the container runs. */
const MANAGED: readonly Controller[] = [...ALWAYS, "pids", "cpu", "cpuacct", "cpuset", "blkio"];

/**
 * Plans the cgroups of one container: on version 1 a directory in each hierarchy that it
 * needs, on version 2 one directory.
 *
 * @throws TsimgError ERR_KERNEL when a limit is asked for and its controller isn't there
 */
export function planCgroup(request: CgroupRequest): CgroupPlan {
  const { layout, path, resources } = request;
  const { v1, v2, needsUnified } = placeControllers(request);
  // On a machine with version 2 alone the group is useful without controllers: it can be
  // frozen and killed as a whole.
  const joinsUnified = v2.length > 0 || needsUnified || layout.kind === "v2";
  const unified = joinsUnified ? layout.unified : undefined;
  const mounts = new Set(v1.map((name) => layout.v1.get(name) ?? ""));
  if (unified !== undefined) mounts.add(unified);
  const leaves = [...mounts].map((mount) => join(mount, path));
  const settings = [
    ...v1.flatMap((name) => settingsV1(name, layout.v1.get(name) ?? "", path, request)),
    ...(unified === undefined ? [] : settingsV2(unified, path, v2, resources)),
  ];
  const oomFile = oomFileOf(layout, path, v2.includes("memory"));
  const rules = layout.v1.has("devices") ? [] : (resources.devices ?? []);
  const limitsDevices = unified !== undefined && rules.some((rule) => !rule.allow);
  return {
    directories: [...mounts].flatMap((mount) => groupsDownTo(mount, path)),
    writes: settings.map((setting) => ({ optional: false, ...setting })),
    procsFiles: leaves.map((leaf) => join(leaf, "cgroup.procs")),
    removals: leaves,
    ...(oomFile === undefined ? {} : { oomFile }),
    ...(unified === undefined ? {} : { unified }),
    ...(limitsDevices ? { deviceProgram: { directory: join(unified, path), rules } } : {}),
  };
}

/** Which controllers are used in which tree; what is limited has to be in one. */
function placeControllers({ layout, resources, v2Controllers, joinsAll }: CgroupRequest) {
  const limited = new Set(limitedControllers(resources));
  const inV2 = new Set(v2Controllers.trim().split(/\s+/));
  const unasked = layout.kind === "v2" ? ALWAYS_IN_V2 : ALWAYS;
  const always = joinsAll === true ? MANAGED : unasked;
  const wanted = new Set<Controller>([...always, ...limited]);
  // Whoever limits CPU time wants to know how much was used; it may share cpu's mount.
  if (limited.has("cpu")) wanted.add("cpuacct");
  const v1 = [...wanted].filter((name) => layout.v1.has(name));
  const rest = [...wanted].filter((name) => !layout.v1.has(name)).map(nameInV2);
  const raw = unifiedControllers(resources);
  const v2 = [...new Set([...rest, ...raw])].filter((name) => inV2.has(name));
  const isThere = (name: Controller) => v1.includes(name) || v2.includes(nameInV2(name));
  // "No limit of processes" needs nobody to see to it.
  if ((resources.pids?.limit ?? 0) <= 0) limited.delete("pids");
  const missing = [...limited].find((name) => !isThere(name)) ?? raw.find((it) => !inV2.has(it));
  if (missing !== undefined) throw missingController(missing, layout);
  const forbids = (resources.devices ?? []).some((rule) => !rule.allow);
  const hasRaw = Object.keys(resources.unified ?? {}).length > 0;
  if (hasRaw && layout.unified === undefined) throw missingController("unified", layout);
  return { v1, v2, needsUnified: hasRaw || (forbids && !layout.v1.has("devices")) };
}

/** The group and all above it that are below the mount, from the top. */
function groupsDownTo(mount: string, path: string): readonly string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((_, depth) => join(mount, ...names.slice(0, depth + 1)));
}

function oomFileOf(layout: CgroupLayout, path: string, inV2: boolean): string | undefined {
  const v1 = layout.v1.get("memory");
  if (v1 !== undefined) return join(v1, path, "memory.oom_control");
  return inV2 && layout.unified ? join(layout.unified, path, "memory.events") : undefined;
}

function missingController(name: string, layout: CgroupLayout): TsimgError {
  if (layout.delegated === true) return notDelegated(name, layout.unified);
  return new TsimgError("ERR_KERNEL", `cgroup controller "${name}" is not available here`, {
    hint:
      layout.kind === "none"
        ? "mount cgroups below /sys/fs/cgroup, or leave the limit out"
        : `mount the controller, or leave out the flag that limits ${name}`,
  });
}
