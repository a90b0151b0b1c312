import { TsimgError } from "../../sys/error.ts";
import { parseSize } from "../sizes.ts";
import type { LogLimit } from "../tape/request.ts";

/** Where a container's output goes, as `inspect` shows it. */
export interface LogOptions {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * What tsimg's own log goes by: podman's name for the same form, and docker's for its files,
 * since who asks for these wants `tsimg logs` to work.
 */
const FILES = ["k8s-file", "json-file", "local"];
export const USUAL_LOG: LogOptions = { driver: "k8s-file", options: {} };

const MEGABYTE = 1024 * 1024;
/** Docker's, for its driver of that name. */
const LOCAL: LogLimit = { size: 20 * MEGABYTE, files: 5 };
const MOST_FILES = 1000;

/**
 * Reads `--log-driver` and `--log-opt`.
 *
 * @throws TsimgError ERR_USAGE for a driver or an option that tsimg hasn't got
 */
export function parseLogOptions(
  driver: string | undefined,
  given: readonly string[],
): LogOptions | undefined {
  if (driver === undefined && given.length === 0) return undefined;
  const chosen = driver ?? USUAL_LOG.driver;
  if (chosen !== "none" && !FILES.includes(chosen))
    throw new TsimgError("ERR_USAGE", `there is no log driver '${chosen.slice(0, 64)}'`, {
      hint: `choose ${FILES.join(", ")} (all a file that "tsimg logs" reads) or none`,
    });
  const log = { driver: chosen, options: Object.fromEntries(given.map(parseOption)) };
  logLimit(log);
  return log;
}

/** Whether there is a file. */
export function hasLog({ driver }: LogOptions): boolean {
  return driver !== "none";
}

/**
 * When a log's file is put aside, and how many there are; undefined for one file without end.
 * @throws TsimgError ERR_USAGE
 */
export function logLimit({ driver, options }: LogOptions): LogLimit | undefined {
  const { "max-size": size, "max-file": files } = options;
  const usual = driver === "local" ? LOCAL : undefined;
  const count = files === undefined ? (usual?.files ?? 1) : parseFiles(files);
  if (size === "-1") return undefined;
  const most = size === undefined ? usual?.size : parseSize(size, "--log-opt max-size");
  if (most === 0) throw invalid("max-size", "0", "no log fits into nothing");
  return most === undefined ? undefined : { size: most, files: count };
}

function parseOption(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const value = equals < 0 ? "" : text.slice(equals + 1);
  if (name === "max-size" || name === "max-file") return [name, value];
  throw new TsimgError("ERR_USAGE", `unknown log opt '${name.slice(0, 64)}'`, {
    hint: "there are max-size=10m and max-file=3",
  });
}

function parseFiles(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count >= 1 && count <= MOST_FILES) return count;
  throw invalid("max-file", text, `a number from 1 to ${MOST_FILES} is needed`);
}

function invalid(name: string, value: string, why: string): TsimgError {
  return new TsimgError("ERR_USAGE", `--log-opt ${name}=${value.slice(0, 64)}: ${why}`);
}
