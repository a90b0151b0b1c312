import { dirname, join } from "node:path";
import type { CpuResources, MemoryResources, Resources } from "../../oci/linux-resources.ts";
import { TsimgError } from "../../sys/error.ts";
import { blockIoV2 } from "./block-io.ts";
import { orMax, type Setting } from "./setting.ts";
import { hugetlbV2, rdmaSettings } from "./small-controllers.ts";

/**
 * What to write into a version 2 tree mounted at `mount`, its parents' files first.
 *
 * @param controllers by their version 2 names
 */
export function settingsV2(
  mount: string,
  path: string,
  controllers: readonly string[],
  resources: Resources,
): readonly Setting[] {
  const group = join(mount, path);
  const { memory, cpu, pids, blockIO, hugepageLimits, rdma } = resources;
  const settings: Readonly<Record<string, () => readonly Setting[]>> = {
    memory: () => memorySettings(group, memory ?? {}),
    cpu: () => cpuSettings(group, cpu ?? {}),
    cpuset: () => cpusetSettings(group, cpu),
    pids: () => pidsSettings(group, pids),
    io: () => blockIoV2(group, blockIO),
    hugetlb: () => hugetlbV2(group, hugepageLimits ?? []),
    rdma: () => rdmaSettings(group, rdma ?? {}),
  };
  return [
    ...enablingSettings(mount, dirname(path), controllers),
    ...controllers.flatMap((name) => settings[name]?.() ?? []),
    ...unifiedSettings(group, resources.unified ?? {}),
  ];
}

/**
 * A controller is there in a group when all its parents pass it on, from the root down.
 *
 * One write for each: a controller that can't be had must not keep the others away. Whether
 * it was needed shows when a limit is written.
 */
function enablingSettings(
  mount: string,
  parent: string,
  controllers: readonly string[],
): readonly Setting[] {
  const steps = parent.split("/").filter((step) => step !== "");
  const parents = [mount, ...steps.map((_, depth) => join(mount, ...steps.slice(0, depth + 1)))];
  return parents.flatMap((directory) =>
    controllers.map((controller) => ({
      file: join(directory, "cgroup.subtree_control"),
      value: `+${controller}`,
      why: `pass the ${controller} controller on to containers`,
      optional: true,
    })),
  );
}

function memorySettings(group: string, memory: MemoryResources): readonly Setting[] {
  const { limit, reservation } = memory;
  const settings: Setting[] = [];
  if (limit !== undefined) {
    const why = `limit memory to ${limit} bytes`;
    settings.push({ file: join(group, "memory.max"), value: orMax(limit), why });
  }
  const swap = swapAlone(memory);
  if (swap !== undefined) {
    const why = `limit swap to ${swap} bytes`;
    const file = join(group, "memory.swap.max");
    // Kernels without swap lack the file.
    settings.push({ file, value: orMax(swap), why, optional: true });
  }
  if (reservation !== undefined) {
    const value = orMax(Math.max(0, reservation));
    const why = `reserve ${reservation} bytes of memory`;
    settings.push({ file: join(group, "memory.low"), value, why });
  }
  return settings;
}

/** Version 2 counts swap by itself, the runtime spec together with memory. */
function swapAlone({ limit, swap }: MemoryResources): number | undefined {
  if (swap === undefined || swap < 0) return swap;
  if (limit !== undefined && limit >= 0 && swap >= limit) return swap - limit;
  throw new TsimgError("ERR_CONFIG_INVALID", `memory and swap can't be limited to ${swap} bytes`, {
    hint: "this limit needs one of memory alone, and is at least as large",
  });
}

function cpuSettings(group: string, cpu: CpuResources): readonly Setting[] {
  const { shares, quota, period, burst, idle } = cpu;
  if ((cpu.realtimeRuntime ?? cpu.realtimePeriod) !== undefined) {
    throw new TsimgError("ERR_KERNEL", "cgroup version 2 can't limit real-time scheduling", {
      hint: "leave out --cpu-rt-runtime and --cpu-rt-period",
    });
  }
  const settings: Setting[] = [];
  const set = (name: string, value: string, why: string) =>
    settings.push({ file: join(group, name), value, why });
  // The kernel refuses a weight for a group that is idle.
  if (idle === 0) set("cpu.idle", "0", "run like others");
  if (shares !== undefined && idle !== 1) {
    set("cpu.weight", String(weightOfShares(shares)), `weigh CPU time with ${shares} shares`);
  }
  if ((quota ?? period) !== undefined) {
    const value = `${orMax(quota ?? -1)} ${period ?? 100_000}`;
    const why = `limit CPU time to ${quota ?? "all"} of ${period ?? 100_000} microseconds`;
    set("cpu.max", value, why);
  }
  if (burst !== undefined) {
    set("cpu.max.burst", String(burst), `save up ${burst} microseconds of CPU time`);
  }
  if (idle === 1) set("cpu.idle", "1", "run when nobody else does");
  return settings;
}

function cpusetSettings(group: string, cpu: Resources["cpu"]): readonly Setting[] {
  return (["cpus", "mems"] as const).flatMap((what) => {
    const value = cpu?.[what];
    if (value === undefined) return [];
    return [{ file: join(group, `cpuset.${what}`), value, why: `keep to ${what} ${value}` }];
  });
}

function pidsSettings(group: string, pids: Resources["pids"]): readonly Setting[] {
  if (pids === undefined) return [];
  const value = orMax(pids.limit > 0 ? pids.limit : -1);
  return [{ file: join(group, "pids.max"), value, why: `limit processes to ${value}` }];
}

/** Raw files, after all else so that they have the last word. */
function unifiedSettings(
  group: string,
  files: Readonly<Record<string, string>>,
): readonly Setting[] {
  return Object.entries(files).map(([name, value]) => {
    if (!/^[a-z][\w.]*$/i.test(name) || name.includes("..")) {
      throw new TsimgError("ERR_CONFIG_INVALID", `invalid cgroup file ${JSON.stringify(name)}`, {
        hint: 'keys of "unified" are plain names of files, as in memory.high',
      });
    }
    return { file: join(group, name), value, why: `set ${name} to ${value}` };
  });
}

/**
 * A version 1 share count (2 to 262144, usually 1024) as a version 2 weight (1 to 10000,
 * usually 100): a curve through both ends and the usual value, as runc draws it since 1.3.
 */
export function weightOfShares(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  const exponent = (log * log + 125 * log) / 612 - 7 / 34;
  // The usual value must come out as exactly 100, whatever the rounding of logarithms.
  return Math.ceil(10 ** exponent - 1e-9);
}
