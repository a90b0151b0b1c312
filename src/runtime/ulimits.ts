import type { Rlimit } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { nearest } from "./near-match.ts";

/** Docker's: all that Linux has but `as`, which would fail programs before they begin. */
const NAMES: readonly string[] = [
  ...["core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile"],
  ...["nproc", "rss", "rtprio", "rttime", "sigpending", "stack"],
];

/**
 * No limit. JSON has no exact 2^64-1: this is the largest number that it writes and that still
 * fits 64 bits. The tape takes whatever is so large for no limit.
 */
export const UNLIMITED = 2 ** 64 - 2 ** 11;

/**
 * Reads `--ulimit name=soft[:hard]`, of which the last of each name counts. -1 is no limit. A
 * lone `host` says what holds anyway: limits that are not set are those of tsimg's own process.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseUlimits(texts: readonly string[]): readonly Rlimit[] {
  const limits = new Map<string, Rlimit>();
  for (const text of texts) {
    if (text === "host") continue;
    const limit = parseUlimit(text);
    limits.set(limit.type, limit);
  }
  return [...limits.values()];
}

function parseUlimit(text: string): Rlimit {
  const [, name = "", first = "", second = first] =
    /^([^=]*)=([^:]*)(?::([^:]*))?$/.exec(text) ?? [];
  if (name === "") throw badUlimit(text, "it is not name=soft[:hard]", "as in nofile=1024:4096");
  if (!NAMES.includes(name)) {
    const near = nearest(name, NAMES);
    const hint = near === undefined ? `known: ${NAMES.join(" ")}` : `did you mean ${near}?`;
    throw badUlimit(text, `there is no limit "${name.slice(0, 64)}"`, hint);
  }
  const soft = parseLimit(first, text);
  const hard = parseLimit(second, text);
  if (soft > hard) {
    throw badUlimit(text, "the soft limit is above the hard one", "write the lower one first");
  }
  return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard };
}

function parseLimit(digits: string, text: string): number {
  if (digits === "-1" || digits === "unlimited") return UNLIMITED;
  const value = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw badUlimit(
    text,
    `"${digits.slice(0, 64)}" is not a limit`,
    "write a whole number, bytes or seconds or pieces, or -1 for no limit",
  );
}

function badUlimit(text: string, what: string, hint: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid --ulimit "${text.slice(0, 128)}": ${what}`, { hint });
}
