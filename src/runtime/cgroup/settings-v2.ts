import { dirname, join } from "node:path";
import type { Resources } from "../../oci/runtime-spec.ts";
import type { Setting } from "./settings-v1.ts";

/** What to write into a version 2 tree mounted at `mount`, its parents' files first. */
export function settingsV2(
  mount: string,
  path: string,
  controllers: readonly string[],
  resources: Resources,
): readonly Setting[] {
  const group = join(mount, path);
  return [
    ...enablingSettings(mount, dirname(path), controllers),
    ...(controllers.includes("memory") ? memorySettings(group, resources.memory) : []),
    ...(controllers.includes("cpu") ? cpuSettings(group, resources.cpu) : []),
    ...(controllers.includes("cpuset") ? cpusetSettings(group, resources.cpu) : []),
    ...(controllers.includes("pids") ? pidsSettings(group, resources.pids) : []),
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

function memorySettings(group: string, memory: Resources["memory"]): readonly Setting[] {
  const { limit, swap } = memory ?? {};
  if (limit === undefined) return [];
  const settings: Setting[] = [
    {
      file: join(group, "memory.max"),
      value: orMax(limit),
      why: `limit memory to ${limit} bytes`,
    },
  ];
  if (swap !== undefined) {
    // Version 2 counts swap by itself, the runtime spec together with memory.
    const alone = swap < 0 ? swap : Math.max(0, swap - limit);
    settings.push({
      file: join(group, "memory.swap.max"),
      value: orMax(alone),
      why: `limit swap to ${alone} bytes`,
      optional: true,
    });
  }
  return settings;
}

function cpuSettings(group: string, cpu: Resources["cpu"]): readonly Setting[] {
  const settings: Setting[] = [];
  const { shares, quota, period } = cpu ?? {};
  if (shares !== undefined) {
    settings.push({
      file: join(group, "cpu.weight"),
      value: String(weightOfShares(shares)),
      why: `weigh CPU time with ${shares} shares`,
    });
  }
  if (quota !== undefined) {
    settings.push({
      file: join(group, "cpu.max"),
      value: `${orMax(quota)} ${period ?? 100_000}`,
      why: `limit CPU time to ${quota} of ${period ?? 100_000} microseconds`,
    });
  }
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
  const limit = pids?.limit ?? 0;
  if (limit <= 0) return [];
  const file = join(group, "pids.max");
  return [{ file, value: String(limit), why: `limit processes to ${limit}` }];
}

function orMax(value: number): string {
  return value < 0 ? "max" : String(value);
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
