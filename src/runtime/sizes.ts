import { TsimgError } from "../sys/error.ts";

const UNITS = ["b", "k", "m", "g", "t", "p"];

/** Microseconds; what docker and runc use. */
const CPU_PERIOD = 100_000;

/** The kernel refuses quotas below 1 ms. */
const MIN_CPUS = 0.01;

/**
 * Bytes from `512m`, `1.5g`, `64KiB`, `1024`: docker's sizes, where k is 1024.
 *
 * @param flag for the message
 * @throws TsimgError ERR_USAGE
 */
export function parseSize(text: string, flag: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,9})?) ?([bkmgtp])?(?:i?b)?$/i.exec(text.trim());
  const [, digits, unit = "b"] = match ?? [];
  if (digits === undefined) {
    throw new TsimgError("ERR_USAGE", `invalid size "${text.slice(0, 64)}" in ${flag}`, {
      hint: "write a number and a unit: b, k, m, g, t or p, as in 512m",
    });
  }
  const bytes = Math.floor(Number(digits) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
  if (!Number.isSafeInteger(bytes)) {
    throw new TsimgError("ERR_USAGE", `size "${text}" in ${flag} is larger than any machine's`);
  }
  return bytes;
}

/** CPU time of a container in each period, both in microseconds. */
export interface CpuQuota {
  readonly quota: number;
  readonly period: number;
}

/**
 * `--cpus 1.5` as quota and period.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseCpus(text: string): CpuQuota {
  const cpus = /^\d{0,6}(\.\d{1,9})?$/.test(text.trim()) ? Number.parseFloat(text) : Number.NaN;
  if (!(cpus >= MIN_CPUS)) {
    throw new TsimgError("ERR_USAGE", `invalid number of CPUs "${text.slice(0, 64)}" in --cpus`, {
      hint: `write a number from ${MIN_CPUS}, as in 0.5 or 2`,
    });
  }
  return { quota: Math.round(cpus * CPU_PERIOD), period: CPU_PERIOD };
}

/**
 * A whole number within bounds.
 *
 * @throws TsimgError ERR_USAGE naming the flag and the bounds
 */
export function parseCount(text: string, flag: string, least: number, most: number): number {
  const value = /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new TsimgError("ERR_USAGE", `invalid value "${text.slice(0, 64)}" for ${flag}`, {
    hint: `write a whole number from ${least} to ${most}`,
  });
}

/**
 * Checks a list of CPUs such as `0-3,7` and gives it back.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseCpuList(text: string, flag: string): string {
  const list = text.trim();
  const wellFormed = /^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?){0,1023}$/.test(list);
  const ordered = list.split(",").every((range) => {
    const [first = "", last = first] = range.split("-");
    return Number(first) <= Number(last);
  });
  if (wellFormed && ordered) return list;
  throw new TsimgError("ERR_USAGE", `invalid CPU list "${text.slice(0, 64)}" in ${flag}`, {
    hint: "write numbers and ranges, as in 0-2,7",
  });
}
