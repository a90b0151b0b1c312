import { parseDuration } from "../../runtime/duration.ts";
import { TsimgError } from "../../sys/error.ts";

/**
 * A point in time as docker takes it: RFC 3339 or a part of it, seconds since 1970, or how
 * long ago in Go's notation (`10m`). Answers milliseconds since 1970.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseMoment(text: string, flag: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^[\d.]+[a-zµ]/.test(text)) return now - parseDuration(text, flag);
  // Without a zone it is the caller's own.
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00`) : Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new TsimgError("ERR_USAGE", `invalid time "${text.slice(0, 64)}" in ${flag}`, {
    hint: "write a time such as 2026-01-02T15:04:05, or how long ago, as in 10m",
  });
}
