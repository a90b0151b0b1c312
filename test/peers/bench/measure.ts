import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Group } from "../cgroup.ts";
import type { Invocation } from "../tools/tool.ts";

export interface Timing {
  /** From the start of the command to its end. */
  readonly wallMs: number;
  /** Of every process of the tool, daemons and containers included. */
  readonly cpuMs: number;
}

/** What daemons still do for a command after it has ended counts as its processor time. */
export const SETTLE_MS = 100;

/**
 * Runs one command inside `group` and takes its time. This process joins the group first, so
 * that joining isn't part of what is measured.
 *
 * @throws Error when the command fails
 */
export async function time(group: Group, invocation: Invocation): Promise<Timing> {
  group.enter();
  const cpuBefore = group.cpuMs();
  const ownBefore = process.cpuUsage();
  const wallMs = await finish(invocation);
  await sleep(SETTLE_MS);
  const own = process.cpuUsage(ownBefore);
  const cpuMs = group.cpuMs() - cpuBefore - (own.user + own.system) / 1e3;
  return { wallMs, cpuMs: Math.max(0, cpuMs) };
}

export interface MemoryPeak {
  /** Kilobytes, before the command: the daemons at rest. */
  readonly restKb: number;
  /** The largest sum while the command ran. */
  readonly peakKb: number;
  /** The part of the peak that no file backs: heaps and stacks. */
  readonly peakAnonymousKb: number;
}

const SAMPLE_MS = 20;

/**
 * Runs one command inside `group` and samples the memory of all its processes: the sum of
 * their proportional set sizes, in which a page that n processes share counts 1/n for each.
 */
export async function memoryPeak(group: Group, invocation: Invocation): Promise<MemoryPeak> {
  group.enter();
  const restKb = residentOf(group.pids()).totalKb;
  let peak = { totalKb: restKb, anonymousKb: 0 };
  const sampler = setInterval(() => {
    const now = residentOf(group.pids());
    if (now.totalKb > peak.totalKb) peak = now;
  }, SAMPLE_MS);
  try {
    await finish(invocation);
  } finally {
    clearInterval(sampler);
  }
  return { restKb, peakKb: peak.totalKb, peakAnonymousKb: peak.anonymousKb };
}

/** The sum of processes' proportional set sizes, in kilobytes. */
export function residentOf(pids: readonly number[]): { totalKb: number; anonymousKb: number } {
  let totalKb = 0;
  let anonymousKb = 0;
  for (const pid of new Set(pids)) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      totalKb += Number(/^Pss: +(\d+)/m.exec(rollup)?.[1] ?? 0);
      anonymousKb += Number(/^Pss_Anon: +(\d+)/m.exec(rollup)?.[1] ?? 0);
    } catch {
      // The process has ended since it was listed.
    }
  }
  return { totalKb, anonymousKb };
}

/**
 * Runs a command to its end.
 * @returns milliseconds from start to end
 * @throws Error when it fails
 */
export async function finish({ argv, env }: Invocation): Promise<number> {
  const [program = "", ...args] = argv;
  const started = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-2000);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  let ended = started;
  child.on("error", reject);
  child.on("exit", () => {
    ended = performance.now();
  });
  child.on("close", resolve);
  const status = await promise;
  if (status !== 0) {
    throw new Error(`"${argv.join(" ")}" ended with status ${status}: ${stderr.trim()}`);
  }
  return ended - started;
}
