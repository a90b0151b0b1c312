import { readFileSync } from "node:fs";
import { tolerating } from "../sys/errno.ts";

/**
 * Names one process for good, unlike its number alone, which the kernel gives to another
 * later: `<pid>:<start time in clock ticks since boot>:<boot id>`. It survives execve(2).
 */
export type ProcessIdentity = string & { readonly __brand: "ProcessIdentity" };

let ownBootId: string | undefined;

/** This boot of the machine. @see random(4), /proc/sys/kernel/random/boot_id */
export function bootId(): string {
  ownBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return ownBootId;
}

/** Start time of a process that lives (zombies don't), or undefined. @see proc_pid_stat(5) */
function startTime(pid: number): string | undefined {
  const stat = tolerating(["ENOENT", "ESRCH"], () => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (stat === undefined) return undefined;
  // The command name may hold spaces and parentheses: fields count from its last ")".
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  return state === "Z" || state === "X" ? undefined : fields[19];
}

export function ownIdentity(): ProcessIdentity {
  return identityOf(process.pid, startTime(process.pid) ?? "0");
}

export function identityOf(pid: number, start: string, boot: string = bootId()): ProcessIdentity {
  return `${pid}:${start}:${boot}` as ProcessIdentity;
}

/** Whether the very process that `identity` names still runs. */
export function isAlive(identity: string): boolean {
  const [pid, start, boot] = identity.split(":");
  return boot === bootId() && start !== undefined && startTime(Number(pid)) === start;
}
