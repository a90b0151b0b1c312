import { dirname, join } from "node:path";
import type { DeviceRule, Resources } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";

/** A value to write into a file of a cgroup. */
export interface Setting {
  readonly file: string;
  readonly value: string;
  readonly why: string;
  readonly optional?: boolean;
}

/** What the cpuset hierarchy's root holds: a new group there starts empty, and then nothing can join. */
export interface CpusetFacts {
  /** Content of `cpuset.cpus`. */
  readonly cpus: string;
  /** Content of `cpuset.mems`. */
  readonly mems: string;
}

interface Wishes {
  readonly resources: Resources;
  readonly cpuset?: CpusetFacts;
}

/** What to write for one controller of version 1, mounted at `mount`. */
export function settingsV1(
  controller: string,
  mount: string,
  path: string,
  wishes: Wishes,
): readonly Setting[] {
  const group = join(mount, path);
  const { memory, cpu, pids, devices } = wishes.resources;
  switch (controller) {
    case "memory":
      return memorySettings(group, memory);
    case "cpu":
      return cpuSettings(group, cpu);
    case "cpuset":
      return cpusetSettings(group, cpu, wishes.cpuset);
    case "pids": {
      const limit = pids?.limit ?? 0;
      if (limit <= 0) return [];
      const file = join(group, "pids.max");
      return [{ file, value: String(limit), why: `limit processes to ${limit}` }];
    }
    case "devices":
      return deviceSettings(group, devices ?? []);
    default:
      return [];
  }
}

function memorySettings(group: string, memory: Resources["memory"]): readonly Setting[] {
  const settings: Setting[] = [];
  if (memory?.limit !== undefined) {
    settings.push({
      file: join(group, "memory.limit_in_bytes"),
      value: String(memory.limit),
      why: `limit memory to ${memory.limit} bytes`,
    });
  }
  if (memory?.swap !== undefined) {
    settings.push({
      file: join(group, "memory.memsw.limit_in_bytes"),
      value: String(memory.swap),
      why: `limit memory and swap to ${memory.swap} bytes`,
      // Kernels without swap accounting lack the file.
      optional: true,
    });
  }
  return settings;
}

function cpuSettings(group: string, cpu: Resources["cpu"]): readonly Setting[] {
  const settings: Setting[] = [];
  const { shares, quota, period } = cpu ?? {};
  if (shares !== undefined) {
    const why = `weigh CPU time with ${shares} shares`;
    settings.push({ file: join(group, "cpu.shares"), value: String(shares), why });
  }
  if (quota !== undefined) {
    const why = `limit CPU time to ${quota} of ${period ?? 100_000} microseconds`;
    const periodText = String(period ?? 100_000);
    settings.push({ file: join(group, "cpu.cfs_period_us"), value: periodText, why });
    settings.push({ file: join(group, "cpu.cfs_quota_us"), value: String(quota), why });
  }
  return settings;
}

function cpusetSettings(
  group: string,
  cpu: Resources["cpu"],
  facts: CpusetFacts | undefined,
): readonly Setting[] {
  if (facts === undefined) {
    throw new TsimgError("ERR_KERNEL", "cpuset.cpus of the root cgroup is unknown", {
      hint: "check that the cpuset hierarchy is readable, or leave out --cpuset-cpus",
    });
  }
  const parent = dirname(group);
  const all = { cpus: facts.cpus.trim(), mems: facts.mems.trim() };
  const set = (where: string, what: "cpus" | "mems", value: string, why: string): Setting => {
    return { file: join(where, `cpuset.${what}`), value, why };
  };
  const cpus = cpu?.cpus ?? all.cpus;
  const mems = cpu?.mems ?? all.mems;
  return [
    set(parent, "cpus", all.cpus, "let containers have CPUs"),
    set(parent, "mems", all.mems, "let containers have memory nodes"),
    set(group, "cpus", cpus, `keep to CPUs ${cpus}`),
    set(group, "mems", mems, `keep to memory nodes ${mems}`),
  ];
}

/** Nothing to write when all devices are allowed: that is how a group starts. */
function deviceSettings(group: string, rules: readonly DeviceRule[]): readonly Setting[] {
  if (rules.every((rule) => rule.allow)) return [];
  return rules.map((rule) => {
    const value = ruleText(rule);
    const verb = rule.allow ? "allow" : "deny";
    const why = `${verb} ${value === "a" ? "all devices" : `device ${value}`}`;
    return { file: join(group, `devices.${verb}`), value, why };
  });
}

function ruleText(rule: DeviceRule): string {
  const everything = (rule.type ?? "a") === "a" && rule.major === undefined;
  if (everything) return "a";
  const number = (value: number | undefined) => (value === undefined ? "*" : String(value));
  return `${rule.type ?? "a"} ${number(rule.major)}:${number(rule.minor)} ${rule.access ?? "rwm"}`;
}
