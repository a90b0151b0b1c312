import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import type { IdMapping } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { inUserNamespace } from "../sys/user-namespace.ts";
import { readAppArmor } from "./apparmor.ts";
import { capabilityNames } from "./capabilities.ts";
import { delegatedLayout, layoutOfGroups } from "./cgroup/delegation.ts";
import { type CgroupLayout, detectCgroups } from "./cgroup/detect.ts";
import type { CgroupRequest } from "./cgroup/plan.ts";
import { readCgroups } from "./cgroup/read-cgroups.ts";
import type { HostFacts } from "./create-spec.ts";
import { readDeviceNumbers } from "./device-numbers.ts";
import { hostDevices } from "./host-devices.ts";
import { cgroupPathOf } from "./limits.ts";
import { machineArch } from "./machine-arch.ts";
import { thermalPaths } from "./masked-paths.ts";
import type { RunFlags } from "./run-flags.ts";

export interface Host {
  readonly facts: HostFacts;
  readonly cgroups: Pick<CgroupRequest, "layout" | "v2Controllers" | "cpuset">;
}

/**
 * Reads what a spec and a cgroup plan need to know of this machine, no more than the flags
 * make necessary.
 *
 * @throws TsimgError ERR_KERNEL when /proc isn't there to be asked; ERR_USAGE for a bad `-v`
 */
export function readHost(flags: RunFlags): Host {
  const choosesCpus = (flags.cpusetCpus ?? flags.cpusetMems) !== undefined;
  const cgroups = readCgroupFacts(cgroupPathOf(flags, "container"), choosesCpus);
  const { layout } = cgroups;
  return {
    facts: {
      arch: machineArch(),
      hostname: mustRead("/proc/sys/kernel/hostname").trim(),
      capabilities: ownCapabilities(),
      devicesLimited: layout.v1.has("devices") || layout.unified !== undefined,
      deviceNumbers: readDeviceNumbers(flags),
      lookupDevices: hostDevices,
      thermalPaths: thermalPaths(read("/sys/devices/system/cpu/possible") ?? "", existsSync),
      appArmor: readAppArmor(),
      kernel: release(),
      environment: process.env,
      groups: ownGroups(mustRead("/proc/self/gid_map")),
    },
    cgroups,
  };
}

/**
 * Where this machine's cgroups are, and what a plan must know of them.
 *
 * @param path of the container's group below the mounts
 */
export function readCgroupFacts(path: string, choosesCpus: boolean): Host["cgroups"] {
  return readCgroups(usableLayout(mountedCgroups()), path, choosesCpus);
}

/**
 * As `readCgroupFacts`, of a container that runs: of where its groups are.
 *
 * @param groups directories of its cgroups
 */
export function readJoinedCgroups(
  groups: readonly string[],
  path: string,
  choosesCpus: boolean,
): Host["cgroups"] {
  const whole = mountedCgroups();
  const layout = groups.length === 0 ? usableLayout(whole) : layoutOfGroups(whole, groups, path);
  return readCgroups(layout, path, choosesCpus);
}

let mounted: CgroupLayout | undefined;

/** Read once: no command lasts longer than a machine's cgroup mounts. */
function mountedCgroups(): CgroupLayout {
  mounted ??= detectCgroups(mustRead("/proc/self/mountinfo"));
  return mounted;
}

function usableLayout(layout: CgroupLayout): CgroupLayout {
  return inUserNamespace() ? delegatedLayout(layout, mustRead("/proc/self/cgroup")) : layout;
}

/** @see user_namespaces(7) */
function ownGroups(map: string): readonly IdMapping[] {
  return map
    .trim()
    .split("\n")
    .map((line) => {
      const [containerID = 0, hostID = 0, size = 0] = line.trim().split(/\s+/).map(Number);
      return { containerID, hostID, size };
    });
}

/** What this process has and may keep: the rest no child of it can get. */
export function ownCapabilities(): readonly string[] {
  const status = mustRead("/proc/self/status");
  const last = read("/proc/sys/kernel/cap_last_cap") ?? "40";
  const mask = (name: string) => new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1];
  const bounding = new Set(capabilityNames(mask("CapBnd") ?? "0", last));
  return capabilityNames(mask("CapPrm") ?? "0", last).filter((name) => bounding.has(name));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function mustRead(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new TsimgError("ERR_KERNEL", `can't read "${path}"`, {
      cause,
      hint: "mount /proc: mount -t proc proc /proc",
    });
  }
}
