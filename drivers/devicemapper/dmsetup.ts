import { existsSync, readdirSync, readFileSync } from "node:fs";
import { openCount } from "../../src/sys/device-mapper.ts";
import { tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { programFailure, programOutcome, runProgram } from "../../src/sys/run-program.ts";
import { holdersOf } from "./holders.ts";

/**
 * udev is told of our devices, but keeps its hands off: its rules would open each one to see
 * what is in it, which makes removing it fail, and would make /dev/disk/by-uuid point at one
 * of hundreds of file systems with the same UUID. dmsetup makes the nodes itself.
 */
const WITHOUT_RULES = ["--noudevrules", "--verifyudev"];

/** Waiting for the last user of a device to let go, in milliseconds. */
const PATIENCE = 5000;
const STEP = 2;

export interface Mapping {
  readonly name: string;
  /** As dmsetup takes it: `0 SECTORS TARGET ARGUMENT…`. */
  readonly table: string;
  readonly readOnly?: boolean;
}

export function devicePath(name: string): string {
  return `/dev/mapper/${name}`;
}

/** Whether a device is there to be opened. dmsetup makes its node last. */
export function isActive(name: string): boolean {
  return existsSync(devicePath(name));
}

/** Makes devices, in one process. Those that are there already are left as they are. */
export function activateDevices(mappings: readonly Mapping[]): void {
  const absent = mappings.filter(({ name }) => !isActive(name));
  if (absent.length === 0) return;
  const argv = ["dmsetup", "create", "--concise", ...WITHOUT_RULES];
  const outcome = programOutcome(argv, { input: concise(absent) });
  const failed = absent.filter(({ name }) => !isActive(name));
  if (failed.length === 0) return;
  // What a killed dmsetup has left: a device that has no node yet.
  const halfMade = failed.filter(({ name }) => openCount(name) !== undefined);
  if (halfMade.length === 0) throw programFailure(argv, outcome);
  runProgram(["dmsetup", "remove", ...WITHOUT_RULES, ...halfMade.map(({ name }) => name)]);
  runProgram(argv, { input: concise(failed) });
}

/**
 * Takes devices away, in one process, after whoever still has one open has let go.
 * @throws TsimgError ERR_IN_USE naming the device and who holds it
 */
export function removeDevices(names: readonly string[]): void {
  const there = names.filter((name) => openCount(name) !== undefined);
  if (there.length === 0) return;
  awaitClosed(there);
  const argv = ["dmsetup", "remove", "--retry", ...WITHOUT_RULES, ...there];
  const outcome = programOutcome(argv);
  const left = there.find((name) => openCount(name) !== undefined);
  if (left === undefined) return;
  if ((openCount(left) ?? 0) > 0) throw inUse(left);
  throw programFailure(argv, outcome);
}

/**
 * Waits a little until nobody has any of these devices open: a process that was just killed
 * may be about to let go of its mounts.
 * @throws TsimgError ERR_IN_USE naming the device and who holds it
 */
export function awaitClosed(names: readonly string[]): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + PATIENCE;
  for (const name of names)
    while ((openCount(name) ?? 0) > 0) {
      if (Date.now() > deadline) throw inUse(name);
      Atomics.wait(pause, 0, 0, STEP);
    }
}

/** Names of all devices of this machine that begin so. */
export function devicesNamed(prefix: string): readonly string[] {
  return readdirSync("/sys/block")
    .filter((name) => name.startsWith("dm-"))
    .map((name) => tolerating(["ENOENT"], () => readName(name)))
    .filter((name) => name?.startsWith(prefix) === true) as string[];
}

function readName(block: string): string {
  return readFileSync(`/sys/block/${block}/dm/name`, "latin1").trim();
}

function concise(mappings: readonly Mapping[]): string {
  const access = (readOnly = false) => (readOnly ? "ro" : "rw");
  return mappings
    .map(({ name, table, readOnly }) => `${name},,,${access(readOnly)},${table}`)
    .join(";");
}

function inUse(name: string): TsimgError {
  const holders = holdersOf(devicePath(name));
  const by = holders.length === 0 ? "" : ` by ${holders.slice(0, 3).join(", ")}`;
  return new TsimgError("ERR_IN_USE", `device '${name}' is still in use${by}`, {
    hint: "unmount it there, or end those processes, and try again",
  });
}
