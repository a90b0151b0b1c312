import { readGroupFile, readGroupNumber, readGroupTable } from "./group-files.ts";
import { type ProcessUsage, readProcessUsage } from "./process-usage.ts";

/** What a container has used so far, and what it may use. */
export interface Usage {
  readonly cpu: CpuUsage;
  readonly memory: MemoryUsage;
  /** Processes and threads. `limit` is Infinity where there is none. */
  readonly pids: { readonly current: number; readonly limit: number };
  /** Of all block devices together. */
  readonly blockIO: BlockIoUsage;
  /** Bytes of huge pages, by their size as the kernel writes it. */
  readonly hugetlb: Readonly<Record<string, { readonly current: number; readonly max: number }>>;
}

/** Nanoseconds. */
export interface CpuUsage {
  readonly total: number;
  readonly user: number;
  readonly system: number;
  /** Periods in which the quota was used up, and how long there was waiting. */
  readonly throttledPeriods: number;
  readonly throttledTime: number;
}

/** Bytes. */
export interface MemoryUsage {
  /** Without file cache that isn't in use, which the kernel gives up when asked: as docker. */
  readonly usage: number;
  /** Infinity where there is none. */
  readonly limit: number;
  /** The most there was, cache included; undefined where the kernel doesn't say (before 5.19). */
  readonly peak: number | undefined;
  readonly oomKills: number;
}

export interface BlockIoUsage {
  readonly readBytes: number;
  readonly writeBytes: number;
  /** Undefined where only the processes themselves could be asked. */
  readonly readOperations: number | undefined;
  readonly writeOperations: number | undefined;
}

/** Version 1 writes "no limit" as a number near 2^63. */
const NO_LIMIT = 2 ** 62;

/**
 * Reads what the container with these groups uses, on version 1, 2 or both.
 *
 * A container on version 1 is in few hierarchies. What these don't count is added up from its
 * processes: CPU time to a hundredth of a second, and block I/O of those that still live or
 * were waited for.
 *
 * @param groups directories; those that are gone count as empty
 */
export function readUsage(groups: readonly string[]): Usage {
  let counted: ProcessUsage | undefined;
  const processes = (): ProcessUsage => {
    counted ??= readProcessUsage(groups);
    return counted;
  };
  return {
    cpu: cpuUsage(groups, processes),
    memory: memoryUsage(groups),
    pids: {
      current: readGroupNumber(groups, "pids.current") ?? processes().threads,
      limit: readGroupNumber(groups, "pids.max") ?? Number.POSITIVE_INFINITY,
    },
    blockIO: unifiedIo(groups) ?? throttledIo(groups) ?? processIo(processes()),
    hugetlb: hugetlbUsage(groups),
  };
}

function cpuUsage(groups: readonly string[], processes: () => ProcessUsage): CpuUsage {
  const stat = readGroupTable(groups, "cpu.stat");
  const throttledPeriods = stat.get("nr_throttled") ?? 0;
  const microseconds = stat.get("usage_usec");
  if (microseconds !== undefined) {
    return {
      total: microseconds * 1000,
      user: (stat.get("user_usec") ?? 0) * 1000,
      system: (stat.get("system_usec") ?? 0) * 1000,
      throttledPeriods,
      throttledTime: (stat.get("throttled_usec") ?? 0) * 1000,
    };
  }
  const throttledTime = stat.get("throttled_time") ?? 0;
  const total = readGroupNumber(groups, "cpuacct.usage");
  if (total === undefined) {
    const { user, system } = processes();
    return { total: user + system, user, system, throttledPeriods, throttledTime };
  }
  return {
    total,
    user: readGroupNumber(groups, "cpuacct.usage_user") ?? 0,
    system: readGroupNumber(groups, "cpuacct.usage_sys") ?? 0,
    throttledPeriods,
    throttledTime,
  };
}

function memoryUsage(groups: readonly string[]): MemoryUsage {
  const stat = readGroupTable(groups, "memory.stat");
  const current = readGroupNumber(groups, "memory.current");
  const used = current ?? readGroupNumber(groups, "memory.usage_in_bytes") ?? 0;
  // Version 1 counts child groups in names of their own.
  const cache = stat.get("total_inactive_file") ?? stat.get("inactive_file") ?? 0;
  const limit =
    readGroupNumber(groups, "memory.max") ?? readGroupNumber(groups, "memory.limit_in_bytes");
  const peak = readGroupNumber(
    groups,
    current === undefined ? "memory.max_usage_in_bytes" : "memory.peak",
  );
  const events = current === undefined ? "memory.oom_control" : "memory.events";
  return {
    usage: cache < used ? used - cache : used,
    limit: limit === undefined || limit > NO_LIMIT ? Number.POSITIVE_INFINITY : limit,
    peak,
    oomKills: readGroupTable(groups, events).get("oom_kill") ?? 0,
  };
}

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …` a device. */
function unifiedIo(groups: readonly string[]): BlockIoUsage | undefined {
  const text = readGroupFile(groups, "io.stat");
  if (text === undefined) return undefined;
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`\\b${name}=(\\d+)`, "g"))].reduce(
      (total, [, digits]) => total + Number(digits),
      0,
    );
  return {
    readBytes: sum("rbytes"),
    writeBytes: sum("wbytes"),
    readOperations: sum("rios"),
    writeOperations: sum("wios"),
  };
}

/** `8:0 Read 1` a line, of every device and kind. */
function throttledIo(groups: readonly string[]): BlockIoUsage | undefined {
  const bytes = readGroupFile(groups, "blkio.throttle.io_service_bytes_recursive");
  const operations = readGroupFile(groups, "blkio.throttle.io_serviced_recursive") ?? "";
  if (bytes === undefined) return undefined;
  const sum = (text: string, kind: string) =>
    [...text.matchAll(new RegExp(`^\\d+:\\d+ ${kind} (\\d+)$`, "gm"))].reduce(
      (total, [, digits]) => total + Number(digits),
      0,
    );
  return {
    readBytes: sum(bytes, "Read"),
    writeBytes: sum(bytes, "Write"),
    readOperations: sum(operations, "Read"),
    writeOperations: sum(operations, "Write"),
  };
}

function processIo({ readBytes, writeBytes }: ProcessUsage): BlockIoUsage {
  return { readBytes, writeBytes, readOperations: undefined, writeOperations: undefined };
}

function hugetlbUsage(groups: readonly string[]): Usage["hugetlb"] {
  const sizes = ["64KB", "1MB", "2MB", "32MB", "512MB", "1GB", "16GB"];
  const entries = sizes.flatMap((size) => {
    const number = (v2: string, v1: string) =>
      readGroupNumber(groups, `hugetlb.${size}.${v2}`) ??
      readGroupNumber(groups, `hugetlb.${size}.${v1}`);
    const current = number("current", "usage_in_bytes");
    const max = number("max", "limit_in_bytes") ?? Number.POSITIVE_INFINITY;
    return current === undefined ? [] : [[size, { current, max }] as const];
  });
  return Object.fromEntries(entries);
}
