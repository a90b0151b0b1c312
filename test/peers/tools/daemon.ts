import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { outcomeOf } from "../../../fixtures/command.ts";

export interface DaemonOptions {
  readonly argv: readonly string[];
  /** What it prints goes here. */
  readonly log: string;
  /** A command that succeeds as soon as the daemon answers. */
  readonly ready: readonly string[];
}

const START_LIMIT_MS = 30_000;

/**
 * Starts a daemon and waits until it answers; disposing kills it. It dies with this process.
 * What it mounted and started stays: whoever starts one does so in namespaces of their own.
 */
export async function startDaemon(options: DaemonOptions): Promise<AsyncDisposable> {
  const log = openSync(options.log, "a");
  const argv = ["--pdeathsig", "KILL", ...options.argv];
  const daemon = spawn("setpriv", argv, { stdio: ["ignore", log, log] });
  closeSync(log);
  daemon.on("error", () => undefined);
  const deadline = Date.now() + START_LIMIT_MS;
  while ((await outcomeOf(options.ready)).status !== 0) {
    if (hasEnded(daemon) || Date.now() > deadline) {
      await stop(daemon);
      const lastLine = readFileSync(options.log, "utf8").trimEnd().split("\n").at(-1);
      throw new Error(`"${options.argv[0]}" did not start: ${lastLine}`);
    }
    await sleep(100);
  }
  return { [Symbol.asyncDispose]: () => stop(daemon) };
}

function hasEnded(daemon: ChildProcess): boolean {
  return daemon.pid === undefined || daemon.exitCode !== null || daemon.signalCode !== null;
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (hasEnded(daemon)) return;
  const ended = once(daemon, "exit");
  daemon.kill("SIGKILL");
  await ended;
}
