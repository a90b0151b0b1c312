import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/**
 * Has the record of the end outlive the state directory, beside it, for containers that are
 * removed as they end: the launcher writes `exit.json.new` and then gives it its name, so that
 * another name of that file is one of the record.
 */
export function keepExit(state: string): void {
  const kept = keptExit(state);
  writeFileSync(kept, "", { mode: 0o644 });
  // There is one after a start that was cut off.
  tolerating(["EEXIST"], () => linkSync(kept, join(state, "exit.json.new")) ?? true);
}

/** Path of what `keepExit` keeps: empty until the end, gone with the container's row. */
export function keptExit(state: string): string {
  return `${state}.ended`;
}

/** What it says, once it is written. */
export function readKeptExit(state: string): ExitRecord | undefined {
  return parseKeptExit(tolerating(["ENOENT"], () => readFileSync(keptExit(state), "utf8")));
}

export function parseKeptExit(text: string | undefined): ExitRecord | undefined {
  // The launcher writes it at once; what has no end was cut off by a full disk.
  return text?.endsWith("}\n") ? (JSON.parse(text) as ExitRecord) : undefined;
}

/** Of an earlier start: the launcher's records say what is so now. */
export function forgetRecords(state: string): void {
  for (const path of [join(state, "started.json"), join(state, "exit.json"), restartMark(state)])
    rmSync(path, { force: true });
}

/**
 * A file that is there once a container that was started without a restart policy has got
 * one: its launcher asks for tsimg at the end, as others do in any case.
 */
export function restartMark(state: string): string {
  return join(state, "restarts");
}

export function launcherOf({ launcher, launcherStartTime, bootId }: StartedRecord): string {
  return identityOf(launcher, launcherStartTime, bootId);
}

export function firstProcessOf({ pid, startTime, bootId }: StartedRecord): string {
  return identityOf(pid, startTime, bootId);
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
