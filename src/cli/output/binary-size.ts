const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** Bytes as docker shows memory: binary units, four significant digits, as in `7.387MiB`. */
export function formatBinarySize(bytes: number): string {
  let value = Number.isFinite(bytes) ? Math.max(0, bytes) : 0;
  let unit = 0;
  while (unit < UNITS.length - 1 && fourDigits(value) >= 1024) {
    value /= 1024;
    unit += 1;
  }
  return `${fourDigits(value)}${UNITS[unit]}`;
}

function fourDigits(value: number): number {
  return Number(value.toPrecision(4));
}
