import type { BlockIoResources, DeviceNumber, ThrottleDevice } from "../oci/linux-resources.ts";
import { TsimgError } from "../sys/error.ts";
import type { LimitFlags } from "./limit-flags.ts";
import { parseCount, parseSize } from "./sizes.ts";

/** Operations a second, more than any device does. */
const MOST_OPERATIONS = 2 ** 32 - 1;

type DeviceFlag = (typeof DEVICE_FLAGS)[number]["member"];

const DEVICE_FLAGS = [
  { member: "blkioWeightDevice", flag: "--blkio-weight-device" },
  { member: "deviceReadBps", flag: "--device-read-bps" },
  { member: "deviceWriteBps", flag: "--device-write-bps" },
  { member: "deviceReadIops", flag: "--device-read-iops" },
  { member: "deviceWriteIops", flag: "--device-write-iops" },
] as const;

/** Every device that the flags name, with the flag for messages. */
export function throttledPaths(flags: LimitFlags): { path: string; flag: string }[] {
  return DEVICE_FLAGS.flatMap(({ member, flag }) =>
    (flags[member] ?? []).map((text) => ({ path: splitPair(text, flag).path, flag })),
  );
}

/**
 * What the flags say of block devices.
 *
 * @param devices the numbers of every path that they name
 * @throws TsimgError ERR_USAGE
 */
export function blockIoOf(
  flags: LimitFlags,
  devices: ReadonlyMap<string, DeviceNumber>,
): BlockIoResources {
  const weight = weightOf(flags.blkioWeight ?? "0", "--blkio-weight");
  const each = <Value>(member: DeviceFlag, parse: (text: string, flag: string) => Value) => {
    const flag = DEVICE_FLAGS.find((entry) => entry.member === member)?.flag ?? "";
    return (flags[member] ?? []).map((text) => {
      const { path, value } = splitPair(text, flag);
      const number = devices.get(path);
      if (number === undefined) throw new TsimgError("ERR_USAGE", `${flag}: no device "${path}"`);
      return { number, value: parse(value, flag) };
    });
  };
  const throttle = (member: DeviceFlag, parse: typeof parseRate): ThrottleDevice[] =>
    each(member, parse).map(({ number, value }) => ({ ...number, rate: value }));
  const all: BlockIoResources = {
    ...(weight === undefined ? {} : { weight }),
    weightDevice: each("blkioWeightDevice", weightOf).map(({ number, value = 0 }) => ({
      ...number,
      weight: value,
    })),
    throttleReadBpsDevice: throttle("deviceReadBps", parseRate),
    throttleWriteBpsDevice: throttle("deviceWriteBps", parseRate),
    throttleReadIOPSDevice: throttle("deviceReadIops", parseOperations),
    throttleWriteIOPSDevice: throttle("deviceWriteIops", parseOperations),
  };
  const given = Object.entries(all).filter(([, value]) => !Array.isArray(value) || value.length);
  return Object.fromEntries(given);
}

/** 0 is docker's way to say "as usual". */
function weightOf(text: string, flag: string): number | undefined {
  const weight = parseCount(text, flag, 0, 1000);
  if (weight === 0) return undefined;
  return parseCount(text, flag, 10, 1000);
}

function parseRate(text: string, flag: string): number {
  return parseSize(text, flag);
}

function parseOperations(text: string, flag: string): number {
  return parseCount(text, flag, 0, MOST_OPERATIONS);
}

/** `PATH:VALUE`; a path may have a colon itself, a value has none. */
function splitPair(text: string, flag: string): { path: string; value: string } {
  const at = text.lastIndexOf(":");
  const path = text.slice(0, Math.max(0, at));
  if (path.startsWith("/")) return { path, value: text.slice(at + 1) };
  throw new TsimgError("ERR_USAGE", `invalid value "${text.slice(0, 64)}" for ${flag}`, {
    hint: "write the absolute path of a block device, a colon and a value, as in /dev/sda:1mb",
  });
}
