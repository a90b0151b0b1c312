import { existsSync, type StatsFs, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "./errno.ts";
import { TsimgError } from "./error.ts";

/** Inodes are what ran out when so few are left while there are so many bytes. */
const FEW_BYTES = 16 << 20;
const FEW_INODES = 16;
const EDQUOT = 122;

/**
 * The kernel says ENOSPC both when bytes and when inodes run out: which it was, by what is
 * left on the file system of `path`.
 *
 * @param error what was caught; its causes are looked at too
 * @param path  what was written to; its nearest directory that exists is asked
 * @returns undefined when `error` is about something else
 */
export function noSpaceError(error: unknown, path: string): TsimgError | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (error instanceof TsimgError && error.code === "ERR_NO_SPACE") return error;
  const place = nearest(path);
  if (code === "EDQUOT")
    return new TsimgError("ERR_NO_SPACE", `the quota of '${place}' is used up`, {
      cause: error,
      hint: "raise the limit of the container, dataset or project, or delete files there",
    });
  return describe(statfsSync(place), place, error);
}

function describe(facts: StatsFs, place: string, cause: unknown): TsimgError {
  const free = facts.bavail * facts.bsize;
  const size = facts.blocks * facts.bsize;
  if (facts.files > 0 && facts.ffree < FEW_INODES && free >= FEW_BYTES)
    return new TsimgError(
      "ERR_NO_SPACE",
      `no free inodes on '${place}': ${facts.ffree} of ${facts.files}`,
      {
        cause,
        hint: "remove images or containers, or use a file system made with more inodes, or the erofs driver, which takes one a layer",
      },
    );
  return new TsimgError(
    "ERR_NO_SPACE",
    `no space left on '${place}': ${amount(free)} of ${amount(size)} free`,
    {
      cause,
      hint: "remove images or containers (tsimg rmi, tsimg rm), or make the file system larger",
    },
  );
}

/** ENOSPC or EDQUOT, wherever in the chain of causes. */
function codeOf(error: unknown, depth = 0): "ENOSPC" | "EDQUOT" | undefined {
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") return code;
  // Node has no name for it.
  if (error instanceof Error && "errno" in error && error.errno === -EDQUOT) return "EDQUOT";
  if (!(error instanceof Error) || depth > 5) return undefined;
  if (error instanceof SuppressedError)
    return codeOf(error.error, depth + 1) ?? codeOf(error.suppressed, depth + 1);
  return codeOf(error.cause, depth + 1);
}

function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path));
}

function amount(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}
