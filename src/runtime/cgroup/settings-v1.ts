import { dirname, join } from "node:path";
import type { CpuResources, MemoryResources, Resources } from "../../oci/linux-resources.ts";
import { TsimgError } from "../../sys/error.ts";
import { blockIoV1 } from "./block-io.ts";
import type { Controller } from "./controllers.ts";
import { deviceSettings } from "./devices-v1.ts";
import { orMax, type Setting } from "./setting.ts";
import { hugetlbV1, networkSettings, rdmaSettings } from "./small-controllers.ts";

/**
 * What the nearest group above the container's holds that has CPUs: a new group in the
 * cpuset hierarchy starts empty, and then nothing can join.
 */
export interface CpusetFacts {
  /** Content of `cpuset.cpus`. */
  readonly cpus: string;
  /** Content of `cpuset.mems`. */
  readonly mems: string;
  /** Which group that is, below the mount; the root when absent. */
  readonly group?: string;
}

interface Wishes {
  readonly resources: Resources;
  readonly cpuset?: CpusetFacts;
  /** The limit with swap is written first: the one of memory alone can't pass it. */
  readonly raisesMemory?: boolean;
}

/** Of all real-time processes in a second, in microseconds: what the kernel gives the root. */
const REAL_TIME_OF_ALL = 950_000;

/** What to write for one controller of version 1, mounted at `mount`. */
export function settingsV1(
  controller: Controller,
  mount: string,
  path: string,
  wishes: Wishes,
): readonly Setting[] {
  const group = join(mount, path);
  const { memory, cpu, pids, devices, blockIO, hugepageLimits, network, rdma } = wishes.resources;
  switch (controller) {
    case "memory":
      return memorySettings(group, memory ?? {}, wishes.raisesMemory === true);
    case "cpu":
      return cpuSettings(mount, group, cpu ?? {});
    case "cpuset":
      return cpusetSettings(mount, group, cpu, wishes.cpuset);
    case "pids":
      return pidsSettings(group, pids);
    case "devices":
      return deviceSettings(group, devices ?? []);
    case "blkio":
      return blockIoV1(group, blockIO);
    case "hugetlb":
      return hugetlbV1(group, hugepageLimits ?? []);
    case "rdma":
      return rdmaSettings(group, rdma ?? {});
    case "net_cls":
    case "net_prio":
      return networkSettings(controller, group, network ?? {});
    default:
      return [];
  }
}

/** The limit of memory alone may never be above the one with swap, not even in between. */
function memorySettings(
  group: string,
  memory: MemoryResources,
  raises: boolean,
): readonly Setting[] {
  const { limit, swap, reservation, kernelTCP, swappiness } = memory;
  const set = (name: string, value: number | undefined, why: string): Setting[] => {
    if (value === undefined) return [];
    return [{ file: join(group, name), value: String(value), why }];
  };
  const alone = set("memory.limit_in_bytes", limit, `limit memory to ${limit} bytes`);
  const why = `limit memory and swap to ${swap} bytes`;
  // Kernels without swap accounting lack the file.
  const both = set("memory.memsw.limit_in_bytes", swap, why).map(asOptional);
  const reserved = `reserve ${reservation} bytes of memory`;
  const tcp = `limit TCP buffers to ${kernelTCP} bytes`;
  return [
    ...(raises ? [...both, ...alone] : [...alone, ...both]),
    ...set("memory.soft_limit_in_bytes", reservation, reserved),
    ...set("memory.kmem.tcp.limit_in_bytes", kernelTCP, tcp),
    ...set("memory.swappiness", swappiness, `swap with swappiness ${swappiness}`),
    ...(memory.disableOOMKiller === true
      ? set("memory.oom_control", 1, "switch the OOM killer off")
      : []),
  ];
}

function asOptional(setting: Setting): Setting {
  return { ...setting, optional: true };
}

/** A period before the quota that is part of it. */
function cpuSettings(mount: string, group: string, cpu: CpuResources): readonly Setting[] {
  const { shares, quota, burst, realtimePeriod, realtimeRuntime, idle } = cpu;
  const period = cpu.period ?? (quota === undefined ? undefined : 100_000);
  const limit = `limit CPU time to ${quota ?? "all"} of ${period} microseconds`;
  const set = (name: string, value: number | undefined, why: string): Setting[] => {
    if (value === undefined) return [];
    return [{ file: join(group, `cpu.${name}`), value: String(value), why }];
  };
  const parents = realtimeRuntime === undefined ? [] : groupsBetween(mount, group);
  return [
    ...set("shares", shares, `weigh CPU time with ${shares} shares`),
    ...set("cfs_period_us", period, limit),
    ...set("cfs_quota_us", quota, limit),
    ...set("cfs_burst_us", burst, `save up ${burst} microseconds of CPU time`),
    ...set("idle", idle, "run when nobody else does"),
    ...parents.map((parent) => ({
      file: join(parent, "cpu.rt_runtime_us"),
      value: String(REAL_TIME_OF_ALL),
      why: "let containers have real-time scheduling",
      optional: true,
    })),
    ...set("rt_period_us", realtimePeriod, `count real time in ${realtimePeriod} microseconds`),
    ...set("rt_runtime_us", realtimeRuntime, `give real time of ${realtimeRuntime} microseconds`),
  ];
}

/** Every group above `group` that is below the mount, from the top. */
function groupsBetween(mount: string, group: string): readonly string[] {
  const names = dirname(group).slice(mount.length).split("/").filter(Boolean);
  return names.map((_, depth) => join(mount, ...names.slice(0, depth + 1)));
}

function pidsSettings(group: string, pids: Resources["pids"]): readonly Setting[] {
  if (pids === undefined) return [];
  const limit = pids.limit > 0 ? pids.limit : -1;
  const why = `limit processes to ${orMax(limit)}`;
  return [{ file: join(group, "pids.max"), value: orMax(limit), why }];
}

function cpusetSettings(
  mount: string,
  group: string,
  cpu: Resources["cpu"],
  facts: CpusetFacts | undefined,
): readonly Setting[] {
  if (facts === undefined) {
    throw new TsimgError("ERR_KERNEL", "cpuset.cpus of the root cgroup is unknown", {
      hint: "check that the cpuset hierarchy is readable, or leave out --cpuset-cpus",
    });
  }
  const above = { cpus: facts.cpus.trim(), mems: facts.mems.trim() };
  const set = (where: string, what: "cpus" | "mems", value: string, why: string): Setting => {
    return { file: join(where, `cpuset.${what}`), value, why };
  };
  const filled = join(mount, facts.group ?? "/");
  const empty = groupsBetween(mount, group).filter((parent) => parent.length > filled.length);
  const cpus = cpu?.cpus ?? above.cpus;
  const mems = cpu?.mems ?? above.mems;
  return [
    ...empty.flatMap((parent) => [
      set(parent, "cpus", above.cpus, "let containers have CPUs"),
      set(parent, "mems", above.mems, "let containers have memory nodes"),
    ]),
    set(group, "cpus", cpus, `keep to CPUs ${cpus}`),
    set(group, "mems", mems, `keep to memory nodes ${mems}`),
  ];
}
