import { TsimgError } from "../../sys/error.ts";
import type { ExitRecord } from "./container.ts";

export interface RestartPolicy {
  readonly name: "no" | "always" | "unless-stopped" | "on-failure";
  /** Of `on-failure`; 0 is no limit. */
  readonly most: number;
}

export const NO_RESTART: RestartPolicy = { name: "no", most: 0 };

/** Milliseconds before the first restart; doubled each time. Docker's. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 60_000;
/** A container that ran so many milliseconds is steady: its restarts are counted anew. */
const STEADY = 10_000;

/**
 * Reads `--restart`.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseRestartPolicy(text: string | undefined): RestartPolicy {
  if (text === undefined || text === "" || text === "no") return NO_RESTART;
  const [name = "", count] = text.split(":", 2);
  if (name === "always" || name === "unless-stopped") {
    if (count === undefined) return { name, most: 0 };
    throw invalid(text, `a number of times goes with on-failure only`);
  }
  if (name === "on-failure") {
    if (count === undefined) return { name, most: 0 };
    if (/^\d{1,9}$/.test(count)) return { name, most: Number(count) };
    throw invalid(text, `"${count.slice(0, 32)}" is not a number of times`);
  }
  throw invalid(text, "there is no such policy");
}

/**
 * Whether a container that has ended is to be started again.
 *
 * @param restarts since somebody started it: docker's count, which no steady run sets back
 */
export function wantsRestart(policy: RestartPolicy, exit: ExitRecord, restarts: number): boolean {
  switch (policy.name) {
    case "no":
      return false;
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure":
      return exit.exitCode !== 0 && (policy.most === 0 || restarts < policy.most);
  }
}

/**
 * How often a container was restarted since it last ran steadily.
 *
 * @param before the same, when it was started
 * @param startedAt RFC 3339; undefined when it didn't come to run
 */
export function restartsInRow(
  before: number,
  startedAt: string | undefined,
  { finishedAt }: ExitRecord,
): number {
  const ran = startedAt === undefined ? 0 : Date.parse(finishedAt) - Date.parse(startedAt);
  return ran >= STEADY ? 0 : before;
}

/**
 * Milliseconds to wait before a restart.
 *
 * @param restarts since it last ran steadily
 */
export function restartPause(restarts: number): number {
  return Math.min(FIRST_PAUSE * 2 ** Math.min(restarts, 16), LONGEST_PAUSE);
}

function invalid(text: string, why: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid restart policy "${text.slice(0, 64)}": ${why}`, {
    hint: "choose no, always, unless-stopped, on-failure or on-failure:TIMES",
  });
}
