import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Group } from "../cgroup.ts";

/** Processor time, in milliseconds. */
export interface ProcessorTime {
  readonly userMs: number;
  readonly systemMs: number;
}

const MOUNT = "/sys/fs/cgroup";
const UNIFIED = existsSync(join(MOUNT, "cgroup.controllers"));
/** Of a tick in /proc/stat; the same on every Linux. */
const TICK_MS = 10;

/** What all that ever ran in a group has used. */
export function timeOf(group: Group): ProcessorTime {
  return timeOfPath(dirname(group.containers));
}

/**
 * What the machine has used outside of all groups of the bench that `group` is of: kernel
 * threads, which write data back, serve loop devices and work for file systems, and whatever
 * else the machine does. To within a tick.
 */
export function timeElsewhereMs(group: Group): number {
  const { userMs, systemMs } = timeOfPath(dirname(dirname(group.containers)));
  return machineMs() - userMs - systemMs;
}

function timeOfPath(path: string): ProcessorTime {
  if (UNIFIED) {
    const stat = readFileSync(join(MOUNT, path, "cpu.stat"), "utf8");
    const micros = (name: string) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(stat)?.[1]);
    return { userMs: micros("user_usec") / 1e3, systemMs: micros("system_usec") / 1e3 };
  }
  const nanos = (name: string) =>
    Number(readFileSync(join(MOUNT, "cpuacct", path, `cpuacct.${name}`), "utf8"));
  return { userMs: nanos("usage_user") / 1e6, systemMs: nanos("usage_sys") / 1e6 };
}

/** All processors' time but what they were idle or waited. @see proc_stat(5) */
function machineMs(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line
    .split(/ +/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}
