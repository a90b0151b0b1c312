import { withoutGroups } from "../cgroup/delegation.ts";
import { readUsage, type Usage } from "../cgroup/usage.ts";
import type { Container } from "./container.ts";
import { type NetworkUsage, readNetworkUsage } from "./network-usage.ts";

/** What one container had used at one moment. */
export interface Sample {
  readonly id: string;
  readonly name: string;
  /** Milliseconds of a clock that never goes back. */
  readonly at: number;
  /** Undefined when it wasn't running, or is in no cgroup. */
  readonly used: (Usage & { readonly network: NetworkUsage }) | undefined;
}

/** @throws TsimgError ERR_KERNEL when it runs, and in no cgroup: nobody counts what it uses */
export function requireMeasurable({ options, state }: Container): void {
  if (state.status === "running" && options.cgroups.length === 0) throw withoutGroups("measured");
}

export function takeSample({ row, options, state }: Container): Sample {
  const { id, name } = row;
  const at = performance.now();
  if (state.status !== "running" || options.cgroups.length === 0)
    return { id, name, at, used: undefined };
  const network = readNetworkUsage(state.started.pid);
  return { id, name, at, used: { ...readUsage(options.cgroups), network } };
}

/**
 * Per cent of one CPU between two samples; 0 without an earlier one, or where a process that
 * was counted is gone.
 */
export function cpuPercent(before: Sample | undefined, now: Sample): number {
  if (before?.used === undefined || now.used === undefined || now.at <= before.at) return 0;
  const nanoseconds = (now.at - before.at) * 1e6;
  return Math.max(0, ((now.used.cpu.total - before.used.cpu.total) / nanoseconds) * 100);
}
