import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { identityOf } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import type { ExitRecord, StartedRecord } from "./container.ts";

/** Docker's word for a process that was killed: 128 + SIGKILL. */
const KILLED = 137;
/** Docker's word for a container whose end nobody saw. */
const UNSEEN = 255;

/** What the launcher wrote into the state directory when the container came to run. */
export function readStarted(state: string): StartedRecord | undefined {
  return readRecord<StartedRecord>(join(state, "started.json"));
}

/** What it wrote at the end. */
export function readExit(state: string): ExitRecord | undefined {
  return readRecord<ExitRecord>(join(state, "exit.json"));
}

/** Of an earlier start: the launcher's records say what is so now. */
export function forgetRecords(state: string): void {
  for (const name of ["started.json", "exit.json"]) rmSync(join(state, name), { force: true });
}

export function launcherOf({ launcher, launcherStartTime, bootId }: StartedRecord): string {
  return identityOf(launcher, launcherStartTime, bootId);
}

/** For an end that no launcher has recorded. */
export function lostWith(what: "launcher" | "machine"): ExitRecord {
  const error = what === "launcher" ? "its launcher was killed" : "the machine went down";
  const exitCode = what === "launcher" ? KILLED : UNSEEN;
  return { exitCode, signal: 0, oomKilled: false, finishedAt: new Date().toISOString(), error };
}

function readRecord<T>(path: string): T | undefined {
  const text = tolerating(["ENOENT"], () => readFileSync(path, "utf8"));
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
