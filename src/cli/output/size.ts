const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/**
 * Bytes as docker shows them: decimal units, three significant digits, as in `7.34MB`.
 * Where docker writes `1e+03kB`, this is `1MB`. Never more than six characters below 1 EB.
 */
export function formatSize(bytes: number): string {
  let value = Number.isFinite(bytes) ? Math.max(0, bytes) : 0;
  let unit = 0;
  while (unit < UNITS.length - 1 && threeDigits(value) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  return `${threeDigits(value)}${UNITS[unit]}`;
}

function threeDigits(value: number): number {
  return Number(value.toPrecision(3));
}
