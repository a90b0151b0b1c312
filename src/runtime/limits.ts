import type { DeviceNumber, Resources } from "../oci/linux-resources.ts";
import { TsimgError } from "../sys/error.ts";
import { blockIoOf } from "./block-io-limits.ts";
import { cpuOf } from "./cpu-limits.ts";
import { deviceRules, parseDeviceRule } from "./devices.ts";
import type { LimitFlags } from "./limit-flags.ts";
import { memoryOf } from "./memory-limits.ts";
import { parseCount } from "./sizes.ts";

/** Pids that a kernel can number. */
const MOST_PROCESSES = 4_194_304;

type DeviceNumbers = ReadonlyMap<string, DeviceNumber>;

/**
 * What the flags limit, as runtime-spec resources.
 *
 * @param devices the numbers of the block devices that the flags name, by path
 * @throws TsimgError ERR_USAGE
 */
export function limitsOf(
  flags: LimitFlags & { readonly privileged: boolean },
  devices: DeviceNumbers = new Map(),
): Resources {
  const rules = (flags.deviceCgroupRule ?? []).map(parseDeviceRule);
  return {
    devices: [...deviceRules(flags.privileged), ...rules],
    ...withoutEmpty({
      memory: memoryOf(flags),
      cpu: withoutNoLimit(cpuOf(flags)),
      pids: pidsOf(flags.pidsLimit, {}),
      blockIO: blockIoOf(flags, devices),
    }),
  };
}

/**
 * What is limited once the flags are laid over the limits of a container that exists. Of its
 * devices nothing changes.
 *
 * @throws TsimgError ERR_USAGE
 */
export function changedLimits(
  flags: LimitFlags,
  current: Resources,
  devices: DeviceNumbers = new Map(),
): Resources {
  const cpu = cpuOf(flags, current.cpu);
  const noPids = current.pids === undefined ? {} : { limit: -1 };
  return {
    ...current,
    ...withoutEmpty({
      memory: memoryOf(flags, current.memory),
      cpu: current.cpu?.quota === undefined ? withoutNoLimit(cpu) : cpu,
      pids: flags.pidsLimit === undefined ? (current.pids ?? {}) : pidsOf(flags.pidsLimit, noPids),
      blockIO: { ...current.blockIO, ...blockIoOf(flags, devices) },
    }),
  };
}

/** What is to be said about flags that are taken but do nothing, or not what they seem. */
export function limitWarnings(flags: LimitFlags): readonly string[] {
  return [
    ...(flags.kernelMemory === undefined
      ? []
      : ["--kernel-memory is ignored: kernels since 5.16 have no such limit"]),
    ...(flags.oomKillDisable === true && flags.memory === undefined
      ? ["--oom-kill-disable without --memory leaves the machine without a way out"]
      : []),
  ];
}

/**
 * The cgroup of a container, below each mount: in `/tsimg` unless another parent is asked for.
 * @throws TsimgError ERR_USAGE
 */
export function cgroupPathOf(flags: LimitFlags, id: string): string {
  const parent = flags.cgroupParent ?? "";
  const names = (parent === "" ? "tsimg" : parent).split("/").filter((name) => name !== "");
  const strange = names.some((name) => /^\.\.?$/.test(name) || [...name].some((it) => it < " "));
  if (!strange && names.length > 0) return `/${[...names, id].join("/")}`;
  throw new TsimgError("ERR_USAGE", `invalid --cgroup-parent "${parent.slice(0, 64)}"`, {
    hint: "give a path below the cgroup mounts, as in /tenants/a",
  });
}

/** 0 and -1 both stand for no limit. */
function pidsOf<None>(text: string | undefined, none: None): { limit: number } | None {
  if (text === undefined) return none;
  const limit = parseCount(text, "--pids-limit", -1, MOST_PROCESSES);
  return limit > 0 ? { limit } : none;
}

/** A new container's quota is none to begin with. */
function withoutNoLimit<Cpu extends { readonly quota?: number }>(cpu: Cpu): Cpu {
  if (cpu.quota === undefined || cpu.quota >= 0) return cpu;
  const { quota: _, ...rest } = cpu;
  return rest as Cpu;
}

function withoutEmpty(resources: object): Resources {
  const given = Object.entries(resources).filter(([, value]) => Object.keys(value).length > 0);
  return Object.fromEntries(given);
}
