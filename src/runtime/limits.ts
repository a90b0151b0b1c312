import type { Resources } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { deviceRules } from "./devices.ts";
import type { RunFlags } from "./run-flags.ts";
import { parseCount, parseCpuList, parseCpus, parseSize } from "./sizes.ts";

/** Below this, the kernel kills a program while it is still being started. Docker's bound. */
const LEAST_MEMORY = 6 * 1024 * 1024;

/** Pids that a kernel can number. */
const MOST_PROCESSES = 4_194_304;

/**
 * What the flags limit, as runtime-spec resources.
 *
 * @throws TsimgError ERR_USAGE
 */
export function limitsOf(flags: RunFlags): Resources {
  const cpu = {
    ...(flags.cpuShares === undefined ? {} : sharesOf(flags.cpuShares)),
    ...(flags.cpus === undefined ? {} : parseCpus(flags.cpus)),
    ...(flags.cpusetCpus === undefined
      ? {}
      : { cpus: parseCpuList(flags.cpusetCpus, "--cpuset-cpus") }),
  };
  const pids = pidsOf(flags.pidsLimit);
  return {
    devices: deviceRules(flags.privileged),
    ...(flags.memory === undefined ? {} : { memory: memoryOf(flags.memory) }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(pids === undefined ? {} : { pids }),
  };
}

/** As docker does, a container may swap out as much again as it may have in memory. */
function memoryOf(text: string): { limit: number; swap: number } {
  const limit = parseSize(text, "--memory");
  if (limit < LEAST_MEMORY) {
    throw new TsimgError("ERR_USAGE", `--memory ${text} is less than 6m, the least that can work`, {
      hint: "sizes without a unit are bytes: write 512m for megabytes",
    });
  }
  return { limit, swap: limit * 2 };
}

/** 0 is docker's way to say "as usual". */
function sharesOf(text: string): { shares?: number } {
  const shares = parseCount(text, "--cpu-shares", 0, 262_144);
  return shares === 0 ? {} : { shares: Math.max(2, shares) };
}

/** 0 and -1 both stand for no limit. */
function pidsOf(text: string | undefined): { limit: number } | undefined {
  if (text === undefined) return undefined;
  const limit = parseCount(text, "--pids-limit", -1, MOST_PROCESSES);
  return limit > 0 ? { limit } : undefined;
}
