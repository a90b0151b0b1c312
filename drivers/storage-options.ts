import { TsimgError } from "../src/sys/error.ts";
import type { StorageOptions } from "./driver.ts";

/**
 * @param known the options that the driver has
 * @throws TsimgError ERR_USAGE for any other one
 */
export function refuseOptions(
  driver: string,
  options: StorageOptions,
  known: readonly string[],
): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new TsimgError("ERR_USAGE", `driver '${driver}' has no storage option '${unknown}'`, {
    hint: known.length === 0 ? "it has none" : `it has ${known.join(", ")}`,
  });
}
