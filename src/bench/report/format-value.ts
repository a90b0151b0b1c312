import type { Measure, Parameter, Unit } from "../measure.ts";
import { BOUNDLESS } from "../statistics/compare.ts";

const SECONDS = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
] as const;
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A figure as people read it: three digits and the unit that fits. */
export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  switch (unit) {
    case "seconds":
      return formatSeconds(value);
    case "bytes":
      return formatBytes(value);
    case "bytes/s":
      return `${formatBytes(value)}/s`;
    case "per second":
      return `${threeDigits(value)}/s`;
    case "share":
      return `${threeDigits(value * 100)} %`;
    case "inodes":
    case "calls":
      return String(Math.round(value));
  }
}

export function formatParameter({ value, unit, axis }: Parameter): string {
  if (unit === "bytes") return formatBytes(value);
  return `${value} ${value === 1 ? axis.replace(/s$/, "") : axis}`;
}

/** What a measure is called in a table. */
export function measureLabel({ name, parameter }: Pick<Measure, "name" | "parameter">): string {
  return parameter === undefined ? name : `${name}, ${formatParameter(parameter)}`;
}

/** How many times as much, where 1 is the same. */
export function formatRatio(ratio: number): string {
  if (!(ratio > 1 / BOUNDLESS && ratio < BOUNDLESS)) return "–";
  if (ratio < 0.095) return `${Number(ratio.toPrecision(1))}×`;
  return `${ratio < 9.95 ? ratio.toFixed(2) : ratio.toFixed(ratio < 99.5 ? 1 : 0)}×`;
}

function formatSeconds(value: number): string {
  if (value === 0) return "0 s";
  const [size, name] = SECONDS.find(([unit]) => Math.abs(value) >= unit * 0.9995) ?? SECONDS[3];
  return `${threeDigits(value / size)} ${name}`;
}

function formatBytes(value: number): string {
  let [size, step] = [value, 0];
  while (Math.abs(size) >= 1023.5 && step < BINARY.length - 1)
    [size, step] = [size / 1024, step + 1];
  return `${threeDigits(size)} ${BINARY[step]}`;
}

function threeDigits(value: number): string {
  const digits =
    Math.abs(value) >= 99.95 || Number.isInteger(value) ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return value.toFixed(digits);
}
