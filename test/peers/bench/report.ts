import type { Machine } from "./machine.ts";
import type { MemoryPeak, Timing } from "./measure.ts";
import type { Resumed } from "./resume.ts";
import type { Results } from "./rounds.ts";

export interface TimeTable {
  readonly title: string;
  readonly results: Results<Timing>;
}

export function machineLines(machine: Machine): readonly string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Linux ${machine.kernel}, ${machine.cpu}, ${machine.memoryGiB} GiB, load ${machine.load}`,
    versions.join(", "),
  ];
}

/**
 * Medians with their spread. Ratios are to the first row, tsimg where it could be measured:
 * 3.00 means three times as long as that one.
 */
export function timeLines({ title, results }: TimeTable): readonly string[] {
  const rows = [...results].filter(([, timings]) => timings.length > 0);
  const first = rows[0]?.[1].map((timing) => timing.wallMs) ?? [];
  const table = rows.map(([name, timings]) => {
    const wall = timings.map((timing) => timing.wallMs);
    return [
      name,
      milliseconds(median(wall)),
      `${milliseconds(Math.min(...wall))}–${milliseconds(Math.max(...wall))}`,
      milliseconds(median(timings.map((timing) => timing.cpuMs))),
      (median(wall) / median(first)).toFixed(2),
    ];
  });
  return [`\n${title}`, ...columns([["", "median", "min–max", "cpu", "ratio"], ...table])];
}

export function memoryLines(title: string, results: Results<MemoryPeak>): readonly string[] {
  const rows = [...results].filter(([, peaks]) => peaks.length > 0);
  const table = rows.map(([name, peaks]) => [
    name,
    mebibytes(median(peaks.map((peak) => peak.peakKb))),
    mebibytes(median(peaks.map((peak) => peak.peakAnonymousKb))),
    mebibytes(median(peaks.map((peak) => peak.restKb))),
  ]);
  return [`\n${title}`, ...columns([["", "peak", "anonymous", "at rest"], ...table])];
}

export function resumeLines(title: string, results: readonly Resumed[]): readonly string[] {
  const table = results.map(({ name, size, cutBytes, twiceBytes }) => [
    name,
    mebibytes(size / 1024),
    mebibytes(cutBytes / 1024),
    mebibytes(twiceBytes / 1024),
    `${((100 * twiceBytes) / size).toFixed(2)} %`,
  ]);
  const head = ["", "image", "killed at", "fetched twice", "of all"];
  return [`\n${title}`, ...columns([head, ...table])];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function milliseconds(value: number): string {
  return value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`;
}

export function mebibytes(kilobytes: number): string {
  return `${(kilobytes / 1024).toFixed(1)} MiB`;
}

export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  "),
  );
}
