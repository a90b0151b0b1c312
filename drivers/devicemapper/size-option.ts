import { TsimgError } from "../../src/sys/error.ts";

const UNITS = "bkmgtp";

/**
 * Bytes of a size as docker writes them: `500000000`, `512m`, `10G`, `1.5TiB`; a unit is a
 * power of 1024.
 * @throws TsimgError ERR_USAGE
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,15})?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text);
  const unit = UNITS.indexOf((match?.[2] || "b").toLowerCase());
  const bytes = Math.floor(Number(match?.[1]) * 1024 ** unit);
  if (match !== null && bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new TsimgError("ERR_USAGE", `storage option 'size' can't be '${text.slice(0, 64)}'`, {
    hint: "it is a number of bytes, or one with a unit: 512m, 10G",
  });
}
