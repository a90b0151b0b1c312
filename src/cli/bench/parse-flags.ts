import { InvalidArgumentError } from "../command.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1000, s: 1000, m: 60_000, h: 3_600_000 };
const MOST = 500;

/** `1,16,50`: different whole numbers, in ascending order. */
export function parseCounts(text: string): readonly number[] {
  const counts = text.split(",").map((word) => word.trim());
  if (!counts.every((word) => /^[1-9]\d{0,3}$/.test(word) && Number(word) <= MOST))
    throw new InvalidArgumentError(`It takes whole numbers from 1 to ${MOST}: 1,10,50`);
  return [...new Set(counts.map(Number))].sort((a, b) => a - b);
}

/** `90s`, `10m`: milliseconds. */
export function parseBudget(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
  const time = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (!(time >= 1000 && time <= 24 * 3_600_000))
    throw new InvalidArgumentError("It takes a time from 1s to 24h: 90s, 10m");
  return time;
}

export function parseRuns(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It takes a whole number.");
  return Number(text);
}
