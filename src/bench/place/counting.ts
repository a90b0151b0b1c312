import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import type { Counters } from "./place.ts";

const SECTOR = 512;
/** Clock ticks a second, as /proc counts for every program. @see proc(5), sysconf(_SC_CLK_TCK) */
const TICKS = 100;

/** Where the counts of a place come from. */
export interface CountedBy {
  /** Its block device, such as /dev/loop0; undefined where it can't be told. */
  readonly device: string | undefined;
  /** The process that its file system is; undefined where that is the kernel. */
  readonly daemon: number | undefined;
}

export function readCounters({ device, daemon }: CountedBy): Counters {
  const bytes = device === undefined ? daemonBytes(daemon) : deviceBytes(device);
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  const { children } = processorTimes("self");
  const served = daemon === undefined ? 0 : processorTimes(String(daemon)).own;
  return { ...bytes, calls: readAndWriteCalls(), processor: own + children + served };
}

/** @see Documentation/admin-guide/iostats.rst: fields 3 and 7 are sectors read and written */
function deviceBytes(device: string): Pick<Counters, "read" | "written"> {
  const path = `/sys/class/block/${basename(device)}/stat`;
  const fields = tolerating(["ENOENT"], () => readFileSync(path, "latin1"))
    ?.trim()
    .split(/\s+/)
    .map(Number);
  if (fields === undefined) return { read: undefined, written: undefined };
  return { read: (fields[2] ?? 0) * SECTOR, written: (fields[6] ?? 0) * SECTOR };
}

/** What a daemon has read and written of the files that it keeps its data in. @see proc_pid_io(5) */
function daemonBytes(daemon: number | undefined): Pick<Counters, "read" | "written"> {
  if (daemon === undefined) return { read: undefined, written: undefined };
  const text = readFileSync(`/proc/${daemon}/io`, "latin1");
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1]);
  return { read: field("read_bytes"), written: field("write_bytes") };
}

/** @see proc_pid_io(5): syscr and syscw */
function readAndWriteCalls(): number {
  const text = readFileSync("/proc/self/io", "latin1");
  return [...text.matchAll(/^sysc[rw]: (\d+)$/gm)].reduce(
    (sum, found) => sum + Number(found[1]),
    0,
  );
}

/** Seconds of a process, and of its children that have ended. @see proc_pid_stat(5) */
function processorTimes(process: string): { readonly own: number; readonly children: number } {
  const stat = readFileSync(`/proc/${process}/stat`, "latin1");
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return { own: (user + system) / TICKS, children: (childUser + childSystem) / TICKS };
}
