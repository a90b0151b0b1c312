import { closeSync, openSync } from "node:fs";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { O_PATH, openWithin } from "../../sys/open-within.ts";

/**
 * Whether a part of a volume is there to be mounted. What links in the volume lead to is looked
 * for inside of it; the launch does the same.
 *
 * @throws TsimgError ERR_USAGE
 */
export function checkSubpath(data: string, subpath: string, volume: string): void {
  const root = openSync(data, O_PATH);
  try {
    closeSync(openWithin(root, subpath, O_PATH, "root"));
  } catch (cause) {
    throw new TsimgError(
      "ERR_USAGE",
      `can't mount '${subpath}' of volume '${volume}': ${errorCode(cause) ?? ""}`,
      { cause, hint: "a subpath must be there before the container starts" },
    );
  } finally {
    closeSync(root);
  }
}
