import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { builtProgram } from "../../app.ts";
import { TsimgError } from "../../sys/error.ts";

const MOST_STDERR = 4096;

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
  const heard = { stdout: "", stderr: "" };
  let firstOutput: number | undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    firstOutput ??= (performance.now() - start) / 1000;
    heard.stdout += chunk;
    if (until === "first output") killGroup(child);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    heard.stderr = (heard.stderr + chunk).slice(-MOST_STDERR);
  });
  const stop = () => killGroup(child);
  signal.addEventListener("abort", stop);
  const [status] = (await once(child, "close")) as [number | null];
  signal.removeEventListener("abort", stop);
  const duration = (performance.now() - start) / 1000;
  signal.throwIfAborted();
  const wanted = status === 0 || (until === "first output" && firstOutput !== undefined);
  if (wanted) return { firstOutput, duration, stdout: heard.stdout };
  const reason = heard.stderr.trim().split("\n").at(0) ?? "";
  throw new TsimgError("ERR_STATE", `'tsimg ${args[0]}' ended with status ${status}: ${reason}`);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // It has just ended.
  }
}
