import { appendFileSync } from "node:fs";
import { TsimgError } from "../../sys/error.ts";

export interface OciLog {
  /** A file, beside standard error. */
  readonly path: string | undefined;
  readonly format: "text" | "json";
}

/** Tells an error as the callers of OCI runtimes look for it. */
export function logError(log: OciLog, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof TsimgError && error.hint !== undefined ? ` (${error.hint})` : "";
  const line = { level: "error", msg: message + hint, time: new Date().toISOString() };
  if (log.path !== undefined) {
    const text =
      log.format === "json"
        ? JSON.stringify(line)
        : `time="${line.time}" level=error msg=${JSON.stringify(line.msg)}`;
    appendFileSync(log.path, `${text}\n`);
  }
  process.stderr.write(`tsimg: ${line.msg}\n`);
}
