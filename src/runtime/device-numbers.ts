import { statSync } from "node:fs";
import type { DeviceNumber } from "../oci/linux-resources.ts";
import { TsimgError } from "../sys/error.ts";
import { throttledPaths } from "./block-io-limits.ts";
import type { LimitFlags } from "./limit-flags.ts";

/** The block devices that flags name, by the path that they name them with. */
export type DeviceNumbers = ReadonlyMap<string, DeviceNumber>;

/**
 * Asks the host for the numbers of the devices in `--device-read-bps` and its like.
 *
 * @throws TsimgError ERR_USAGE for a path that is no block device
 */
export function readDeviceNumbers(flags: LimitFlags): DeviceNumbers {
  return new Map(throttledPaths(flags).map(({ path, flag }) => [path, numbersOf(path, flag)]));
}

function numbersOf(path: string, flag: string): DeviceNumber {
  const node = statSync(path, { throwIfNoEntry: false });
  if (node?.isBlockDevice() === true) return unpackDevice(node.rdev);
  const flaw = node === undefined ? "doesn't exist" : "is no block device";
  throw new TsimgError("ERR_USAGE", `${flag}: "${path}" ${flaw}`, {
    hint: '"lsblk -p" lists the block devices',
  });
}

/** Major and minor as the C library packs them into a dev_t, up to 32 bits of it. */
export function unpackDevice(dev: number): DeviceNumber {
  return { major: (dev >>> 8) & 0xfff, minor: (dev & 0xff) | ((dev >>> 12) & 0xfff00) };
}
