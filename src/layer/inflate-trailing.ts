import { TsimgError } from "../sys/error.ts";

export function corruptStream(format: "gzip" | "zstd", what: string, cause?: unknown): TsimgError {
  return new TsimgError("ERR_LAYER_CORRUPT", `${format} stream ${what}`, { cause });
}

/** Zeros may follow a gzip stream: tapes and block devices leave them. Nothing else may. */
export function checkTrailing(format: "gzip" | "zstd", bytes: Buffer): void {
  if (bytes.length === 0) return;
  if (format === "gzip" && isZero(bytes)) return;
  throw corruptStream(format, "is followed by something else");
}

export function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
