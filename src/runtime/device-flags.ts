import { posix } from "node:path";
import type { DeviceRule } from "../oci/linux-resources.ts";
import type { Device } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";

export interface ChosenDevices {
  /** For `linux.devices`. */
  readonly devices: readonly Device[];
  /** For `linux.resources.devices`, after those that every container has. */
  readonly rules: readonly DeviceRule[];
}

/**
 * What stands at a path of this machine: a device, each one below a directory, or nothing.
 * `path` of each is the one asked for, or begins with it.
 */
export type DeviceLookup = (path: string) => readonly Device[];

/**
 * Reads `--device path[:path in the container][:rwm]`. A directory stands for all devices
 * below it. Where two flags give one path in the container, the later one counts.
 *
 * @param lookup follows symbolic links: what is given is the device they lead to
 * @throws TsimgError ERR_USAGE
 */
export function parseDevices(texts: readonly string[], lookup: DeviceLookup): ChosenDevices {
  const chosen = new Map<string, { readonly device: Device; readonly access: string }>();
  for (const text of texts) {
    const { source, destination, access } = parseDevice(text);
    const found = lookup(source);
    if (found.length === 0) {
      throw badDevice(text, `there is no device at "${source.slice(0, 128)}"`, "ls -l /dev");
    }
    for (const device of found) {
      const path = posix.join(destination, posix.relative(source, device.path));
      chosen.set(path, { device: { ...device, path }, access });
    }
  }
  const all = [...chosen.values()];
  return { devices: all.map(({ device }) => device), rules: all.map(ruleOf) };
}

function ruleOf({ device, access }: { device: Device; access: string }): DeviceRule {
  const { type, major, minor } = device;
  return {
    allow: true,
    type: type === "b" ? "b" : "c",
    ...(major === undefined ? {} : { major }),
    ...(minor === undefined ? {} : { minor }),
    access,
  };
}

interface DeviceFlag {
  /** Absolute, both. */
  readonly source: string;
  readonly destination: string;
  /** Letters of `rwm`. */
  readonly access: string;
}

function parseDevice(text: string): DeviceFlag {
  const parts = text.split(":");
  const [source = "", second, third] = parts;
  if (!source.includes(":") && /^[\w.-]+\/[\w.-]+=/.test(source)) {
    throw badDevice(text, "devices of CDI are not supported", "name a path, as in /dev/fuse");
  }
  if (parts.length > 3) throw badDevice(text, "it has too many colons", EXAMPLE);
  // As docker has it: a second part that could be letters of access is.
  const lettersSecond = parts.length === 2 && second !== undefined && isAccess(second);
  const destination = lettersSecond ? source : (second ?? source);
  const access = lettersSecond ? second : (third ?? "rwm");
  if (!isAccess(access)) {
    throw badDevice(text, `"${access.slice(0, 16)}" is not made of r, w and m`, EXAMPLE);
  }
  return {
    source: checkPath(source, text),
    destination: checkPath(destination, text),
    access,
  };
}

const EXAMPLE = "as in /dev/sda:/dev/xvda:r";

function isAccess(letters: string): boolean {
  return /^[rwm]{1,3}$/.test(letters) && new Set(letters).size === letters.length;
}

function checkPath(path: string, text: string): string {
  const tidy = posix.normalize(path).replace(/(?<=.)\/$/, "");
  if (path.startsWith("/") && tidy !== "/" && !path.includes("\0")) return tidy;
  throw badDevice(text, `"${path.slice(0, 64)}" is not an absolute path`, EXAMPLE);
}

function badDevice(text: string, what: string, hint: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid --device "${text.slice(0, 128)}": ${what}`, { hint });
}
