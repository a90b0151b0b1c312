import { posix } from "node:path";
import { TsimgError } from "../../sys/error.ts";

/** Longest path that Linux takes, without its NUL. */
const MAX_PATH = 4095;

/**
 * Where a mount goes in the container, tidied: absolute, without `..`, never "/".
 *
 * @param flag the whole flag, for the message
 * @throws TsimgError ERR_USAGE
 */
export function checkDestination(destination: string, flag: string): string {
  if (!destination.startsWith("/"))
    throw badMount(flag, `"${destination.slice(0, 64)}" is not an absolute path`);
  const tidy = tidyPath(destination);
  if (tidy === "/") throw badMount(flag, 'the destination can\'t be "/"', "choose one below it");
  if (!isPath(tidy)) throw badMount(flag, "the path is not one that Linux takes");
  return tidy;
}

/** Without `.`, `..`, doubled slashes and a slash at the end. */
export function tidyPath(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}

export function isPath(path: string): boolean {
  return !path.includes("\0") && Buffer.byteLength(path) <= MAX_PATH;
}

const EXAMPLE = "as in -v /srv/data:/data:ro, or --mount type=bind,src=/srv/data,dst=/data";

/** @param flag what the user wrote */
export function badMount(flag: string, what: string, hint: string = EXAMPLE): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid mount "${flag.slice(0, 256)}": ${what}`, { hint });
}
