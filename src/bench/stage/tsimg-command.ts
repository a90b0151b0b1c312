import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { builtProgram } from "../../app.ts";
import { TsimgError } from "../../sys/error.ts";

const MOST_STDERR = 4096;
/** Between asking a command to end and making it, in milliseconds. */
const PATIENCE = 2000;

/** How one command went. Durations are seconds from its start. */
export interface CommandRun {
  /** Until the first byte on its standard output; undefined when there was none. */
  readonly firstOutput: number | undefined;
  readonly duration: number;
  readonly stdout: string;
}

/**
 * Runs tsimg as users do, by bin/tsimg, in a process group of its own, which a terminal's
 * Ctrl-C doesn't reach.
 *
 * @param until ends it as soon as it has put out something
 * @throws TsimgError ERR_STATE when it fails, with what it said; the signal's reason
 */
export async function runTsimg(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
  until: "end" | "first output" = "end",
): Promise<CommandRun> {
  signal.throwIfAborted();
  const start = performance.now();
  const child = spawn(builtProgram("../bin/tsimg"), [...args], {
    env: { PATH: process.env["PATH"], HOME: "/", LC_ALL: "C", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child, "SIGTERM");
    // A container's first process doesn't end of a signal that it doesn't expect.
    killer ??= setTimeout(() => signalGroup(child, "SIGKILL"), PATIENCE);
  };
  const heard = { stdout: "", stderr: "" };
  let firstOutput: number | undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    firstOutput ??= (performance.now() - start) / 1000;
    heard.stdout += chunk;
    if (until === "first output") stop();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    heard.stderr = (heard.stderr + chunk).slice(-MOST_STDERR);
  });
  signal.addEventListener("abort", stop);
  const [status] = (await once(child, "close")) as [number | null];
  signal.removeEventListener("abort", stop);
  clearTimeout(killer);
  const duration = (performance.now() - start) / 1000;
  signal.throwIfAborted();
  const wanted = status === 0 || (until === "first output" && firstOutput !== undefined);
  if (wanted) return { firstOutput, duration, stdout: heard.stdout };
  const reason = heard.stderr.trim().split("\n").at(0) ?? "";
  throw new TsimgError("ERR_STATE", `'tsimg ${args[0]}' ended with status ${status}: ${reason}`);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has just ended.
  }
}
