import type { CpuResources } from "../oci/linux-resources.ts";
import { TsimgError } from "../sys/error.ts";
import type { LimitFlags } from "./limit-flags.ts";
import { parseCount, parseCpuList, parseCpus } from "./sizes.ts";

/** The kernel's bounds of a period and of a quota, in microseconds. */
const LEAST_PERIOD = 1000;
const MOST_PERIOD = 1_000_000;
const LEAST_QUOTA = 1000;

/** Microseconds: more than the kernel takes, to be told so by the kernel itself. */
const MOST_MICROSECONDS = 1_000_000_000_000;

/**
 * What the flags say of CPU time, over what holds now.
 *
 * @param current of a container that exists; nothing for one to be made
 * @throws TsimgError ERR_USAGE
 */
export function cpuOf(flags: LimitFlags, current: CpuResources = {}): CpuResources {
  if (flags.cpus !== undefined && (flags.cpuPeriod ?? flags.cpuQuota) !== undefined) {
    throw new TsimgError("ERR_USAGE", "--cpus conflicts with --cpu-period and --cpu-quota", {
      hint: "--cpus 1.5 is short for --cpu-period 100000 --cpu-quota 150000",
    });
  }
  return {
    ...current,
    ...(flags.cpuShares === undefined ? {} : sharesOf(flags.cpuShares)),
    ...(flags.cpus === undefined ? {} : cpusOf(flags.cpus)),
    ...(flags.cpuPeriod === undefined ? {} : periodOf(flags.cpuPeriod)),
    ...(flags.cpuQuota === undefined ? {} : quotaOf(flags.cpuQuota)),
    ...realTimeOf(flags, current),
    ...(flags.cpusetCpus === undefined
      ? {}
      : { cpus: parseCpuList(flags.cpusetCpus, "--cpuset-cpus") }),
    ...(flags.cpusetMems === undefined
      ? {}
      : { mems: parseCpuList(flags.cpusetMems, "--cpuset-mems") }),
  };
}

/** 0 is docker's way to say "as usual". */
function sharesOf(text: string): CpuResources {
  const shares = parseCount(text, "--cpu-shares", 0, 262_144);
  return shares === 0 ? {} : { shares: Math.max(2, shares) };
}

function cpusOf(text: string): CpuResources {
  return /^0+(\.0*)?$/.test(text.trim()) ? {} : parseCpus(text);
}

function periodOf(text: string): CpuResources {
  const period = parseCount(text, "--cpu-period", 0, MOST_PERIOD);
  if (period === 0) return {};
  return { period: parseCount(text, "--cpu-period", LEAST_PERIOD, MOST_PERIOD) };
}

/** 0 and -1 both stand for no limit. */
function quotaOf(text: string): CpuResources {
  const quota = parseCount(text, "--cpu-quota", -1, MOST_MICROSECONDS);
  if (quota <= 0) return { quota: -1 };
  return { quota: parseCount(text, "--cpu-quota", LEAST_QUOTA, MOST_MICROSECONDS) };
}

function realTimeOf(flags: LimitFlags, current: CpuResources): CpuResources {
  const number = (text: string | undefined, flag: string, before: number | undefined) =>
    text === undefined ? before : parseCount(text, flag, 0, MOST_PERIOD * 1000);
  const period = number(flags.cpuRtPeriod, "--cpu-rt-period", current.realtimePeriod);
  const runtime = number(flags.cpuRtRuntime, "--cpu-rt-runtime", current.realtimeRuntime);
  if ((runtime ?? 0) > (period ?? MOST_PERIOD)) {
    throw new TsimgError("ERR_USAGE", "--cpu-rt-runtime is more than --cpu-rt-period", {
      hint: "it is the part of each period that real-time processes may run",
    });
  }
  return {
    ...(period === undefined ? {} : { realtimePeriod: period }),
    ...(runtime === undefined ? {} : { realtimeRuntime: runtime }),
  };
}
