import type { MemoryResources } from "../oci/linux-resources.ts";
import { TsimgError } from "../sys/error.ts";
import type { LimitFlags } from "./limit-flags.ts";
import { parseCount, parseSize } from "./sizes.ts";

/** Below this, the kernel kills a program while it is still being started. Docker's bound. */
const LEAST_MEMORY = 6 * 1024 * 1024;

/**
 * What the flags say of memory, over what holds now.
 *
 * @param current of a container that exists; nothing for one to be made
 * @throws TsimgError ERR_USAGE
 */
export function memoryOf(flags: LimitFlags, current: MemoryResources = {}): MemoryResources {
  const limit = sizeOf(flags.memory, "--memory") ?? current.limit;
  const swap = swapOf(flags, limit, current);
  const reservation =
    sizeOf(flags.memoryReservation, "--memory-reservation") ?? current.reservation;
  if (reservation !== undefined && limit !== undefined && reservation > limit) {
    throw new TsimgError("ERR_USAGE", "--memory-reservation is more than --memory", {
      hint: "reserve less than the limit, or raise the limit",
    });
  }
  const swappiness = swappinessOf(flags.memorySwappiness) ?? current.swappiness;
  return {
    ...current,
    ...(limit === undefined ? {} : { limit }),
    ...(swap === undefined ? {} : { swap }),
    ...(reservation === undefined ? {} : { reservation }),
    ...(swappiness === undefined ? {} : { swappiness }),
    ...(flags.oomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

/** 0 is docker's way to say "as it is". */
function sizeOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseSize(text, flag);
  if (bytes === 0) return undefined;
  if (bytes >= LEAST_MEMORY) return bytes;
  throw new TsimgError("ERR_USAGE", `${flag} ${text} is less than 6m, the least that can work`, {
    hint: "sizes without a unit are bytes: write 512m for megabytes",
  });
}

/** As docker does, a container may swap out as much again as it may have in memory. */
function swapOf(
  flags: LimitFlags,
  limit: number | undefined,
  current: MemoryResources,
): number | undefined {
  const asked = flags.memorySwap;
  if (asked === "-1") return -1;
  const swap = asked === undefined ? 0 : parseSize(asked, "--memory-swap");
  if (swap === 0) {
    const kept = current.swap ?? (limit === undefined ? undefined : limit * 2);
    if (kept === undefined || kept < 0 || kept >= (limit ?? 0)) return kept;
    throw new TsimgError("ERR_USAGE", "--memory is more than the limit of memory and swap", {
      hint: "give --memory-swap too: memory and swap together, or -1 for no limit",
    });
  }
  if (limit === undefined) {
    throw new TsimgError("ERR_USAGE", "--memory-swap needs --memory", {
      hint: "it counts memory and swap together: give both",
    });
  }
  if (swap >= limit) return swap;
  throw new TsimgError("ERR_USAGE", `--memory-swap ${asked} is less than --memory`, {
    hint: "it counts memory and swap together: as much as --memory means no swap",
  });
}

/** -1 stands for the machine's own. */
function swappinessOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = parseCount(text, "--memory-swappiness", -1, 100);
  return value < 0 ? undefined : value;
}
