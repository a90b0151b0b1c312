import { TsimgError } from "../sys/error.ts";

/**
 * `1h2m3.5s` as milliseconds, in Go's notation.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseDuration(text: string, flag: string): number {
  const units: Readonly<Record<string, number>> = {
    h: 3_600_000,
    m: 60_000,
    s: 1000,
    ms: 1,
    us: 1e-3,
    ns: 1e-6,
  };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)/g)];
  const whole = parts.map(([part]) => part).join("");
  if (text === "0") return 0;
  if (whole !== text || parts.length === 0) {
    throw new TsimgError("ERR_USAGE", `invalid duration "${text.slice(0, 64)}" in ${flag}`, {
      hint: "write numbers with units, as in 1m30s or 500ms",
    });
  }
  const sum = parts.reduce(
    (ms, [, number, unit]) => ms + Number(number) * (units[unit ?? ""] ?? 0),
    0,
  );
  return Math.ceil(sum);
}
