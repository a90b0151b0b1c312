import { readFileSync } from "node:fs";
import type { Healthcheck } from "../../oci/image-config.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { parseDuration } from "../duration.ts";

/** A check that a container is asked again and again. Times in milliseconds. */
export interface HealthCheck {
  /** What is executed in the container; with a shell where it was given as one line. */
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  /** Failures in it don't count, until a first success. */
  readonly startPeriod: number;
  /** How often within that time. */
  readonly startInterval: number;
  /** Failures in a row that make it unhealthy. */
  readonly retries: number;
}

/** As given; each stands over what the image says. */
export interface HealthFlags {
  readonly healthCmd?: string;
  readonly healthInterval?: string;
  readonly healthTimeout?: string;
  readonly healthStartPeriod?: string;
  readonly healthStartInterval?: string;
  readonly healthRetries?: string;
  readonly noHealthcheck?: boolean;
}

/** One line of the launcher's log. */
export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

export interface Health {
  readonly Status: "starting" | "healthy" | "unhealthy";
  readonly FailingStreak: number;
  readonly Log: readonly HealthResult[];
}

const DEFAULTS = { interval: 30_000, timeout: 30_000, startInterval: 5_000, retries: 3 };
/** Docker keeps as many. */
const SHOWN = 5;

/**
 * The check of a container: the flags', else the image's.
 *
 * @throws TsimgError ERR_USAGE
 */
export function chooseHealthCheck(
  flags: HealthFlags,
  image: Healthcheck | undefined,
): HealthCheck | null {
  if (flags.noHealthcheck === true) {
    if (flags.healthCmd === undefined) return null;
    throw new TsimgError("ERR_USAGE", "--no-healthcheck and --health-cmd contradict each other", {
      hint: "leave one of them out",
    });
  }
  const command =
    flags.healthCmd === undefined ? testCommand(image?.Test ?? []) : shell(flags.healthCmd);
  if (command === null) return null;
  const of = (flag: string | undefined, name: string, nanoseconds: number | undefined) =>
    flag === undefined ? Math.ceil((nanoseconds ?? 0) / 1e6) : parseDuration(flag, name);
  const interval = of(flags.healthInterval, "--health-interval", image?.Interval);
  const timeout = of(flags.healthTimeout, "--health-timeout", image?.Timeout);
  const startInterval = of(
    flags.healthStartInterval,
    "--health-start-interval",
    image?.StartInterval,
  );
  const retries = flags.healthRetries === undefined ? image?.Retries : Number(flags.healthRetries);
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0)) {
    throw new TsimgError(
      "ERR_USAGE",
      `--health-retries: "${flags.healthRetries}" is not a number of times`,
    );
  }
  return {
    command,
    interval: interval || DEFAULTS.interval,
    timeout: timeout || DEFAULTS.timeout,
    startPeriod: of(flags.healthStartPeriod, "--health-start-period", image?.StartPeriod),
    startInterval: startInterval || DEFAULTS.startInterval,
    retries: retries || DEFAULTS.retries,
  };
}

/** What the results so far say, as docker counts. @param started RFC 3339 */
export function healthOf(
  check: HealthCheck,
  log: readonly HealthResult[],
  started: string,
): Health {
  const graceEnds = Date.parse(started) + check.startPeriod;
  let status: Health["Status"] = "starting";
  let streak = 0;
  for (const result of log) {
    if (result.ExitCode === 0) {
      status = "healthy";
      streak = 0;
    } else if (status !== "starting" || Date.parse(result.Start) >= graceEnds) {
      streak++;
      if (streak >= check.retries) status = "unhealthy";
    }
  }
  return { Status: status, FailingStreak: streak, Log: log.slice(-SHOWN) };
}

/** The launcher's log; empty before the first check. */
export function readHealthLog(path: string): readonly HealthResult[] {
  const text = tolerating(["ENOENT"], () => readFileSync(path, "utf8")) ?? "";
  // A last line without its end is being written.
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as HealthResult);
}

/** @see Dockerfile reference, HEALTHCHECK: `NONE`, `CMD` with arguments, `CMD-SHELL` with a line */
function testCommand(test: readonly string[]): readonly string[] | null {
  const [kind, ...rest] = test;
  if (kind === "CMD" && rest.length > 0) return rest;
  if (kind === "CMD-SHELL" && rest[0] !== undefined) return shell(rest[0]);
  return null;
}

function shell(line: string): readonly string[] {
  return ["/bin/sh", "-c", line];
}
