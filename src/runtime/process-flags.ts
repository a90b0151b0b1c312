import { TsimgError } from "../sys/error.ts";
import { parseSignal } from "./container/signals.ts";
import { parseCount } from "./sizes.ts";

/** Seconds; a year and some. */
const LONGEST_PATIENCE = 2 ** 25;

/** `--oom-score-adj`: who is killed first when memory runs out, 1000 soonest. @throws ERR_USAGE */
export function parseOomScore(text: string): number {
  return parseCount(text, "--oom-score-adj", -1000, 1000);
}

/** `--umask`: octal, the bits that new files don't get. @throws ERR_USAGE */
export function parseUmask(text: string): number {
  const bits = /^[0-7]{1,4}$/.test(text.trim()) ? Number.parseInt(text, 8) : Number.NaN;
  if (bits <= 0o777) return bits;
  throw new TsimgError("ERR_USAGE", `invalid value "${text.slice(0, 64)}" for --umask`, {
    hint: "write octal digits up to 0777, as in 0027",
  });
}

/** `--stop-signal`: the text itself, once it is known to name a signal. @throws ERR_USAGE */
export function parseStopSignal(text: string): string {
  parseSignal(text);
  return text;
}

/**
 * `--stop-timeout`: seconds that a container has between its stop signal and SIGKILL; infinite
 * for -1. @throws ERR_USAGE
 */
export function parseStopTimeout(text: string): number {
  const seconds = parseCount(text, "--stop-timeout", -1, LONGEST_PATIENCE);
  return seconds === -1 ? Number.POSITIVE_INFINITY : seconds;
}
