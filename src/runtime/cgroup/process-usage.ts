import { readFileSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { processesIn } from "./group-files.ts";

/** What processes have used, with those of their children that they have waited for. */
export interface ProcessUsage {
  /** Nanoseconds, to 10 ms. */
  readonly user: number;
  readonly system: number;
  readonly threads: number;
  /** Bytes from and to block devices. */
  readonly readBytes: number;
  readonly writeBytes: number;
}

/** Nanoseconds of a clock tick: 100 a second on every machine that Linux runs on today. */
const TICK = 10_000_000;

const NOTHING: ProcessUsage = { user: 0, system: 0, threads: 0, readBytes: 0, writeBytes: 0 };

/** Asks the processes themselves, for what no group of theirs counts. */
export function readProcessUsage(groups: readonly string[]): ProcessUsage {
  return processesIn(groups)
    .map((pid) => parseProcess(read(`/proc/${pid}/stat`), read(`/proc/${pid}/io`)))
    .reduce(add, NOTHING);
}

/** @see proc_pid_stat(5), proc_pid_io(5) */
export function parseProcess(stat: string, io: string): ProcessUsage {
  // The command name may hold spaces and parentheses: fields count from its last ")".
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  const bytes = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(io)?.[1] ?? 0);
  return {
    user: (field(14) + field(16)) * TICK,
    system: (field(15) + field(17)) * TICK,
    threads: field(20),
    readBytes: bytes("read_bytes"),
    writeBytes: bytes("write_bytes"),
  };
}

function add(one: ProcessUsage, other: ProcessUsage): ProcessUsage {
  return {
    user: one.user + other.user,
    system: one.system + other.system,
    threads: one.threads + other.threads,
    readBytes: one.readBytes + other.readBytes,
    writeBytes: one.writeBytes + other.writeBytes,
  };
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  return tolerating(["ENOENT", "ESRCH", "EACCES"], () => readFileSync(path, "latin1")) ?? "";
}
