import type { DeviceRule } from "../oci/linux-resources.ts";
import type { Device } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";

/** The nodes that the runtime spec promises in every /dev, for anyone to read and write. */
export const STANDARD_DEVICES: readonly Device[] = [
  { path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o666 },
  { path: "/dev/zero", type: "c", major: 1, minor: 5, fileMode: 0o666 },
  { path: "/dev/full", type: "c", major: 1, minor: 7, fileMode: 0o666 },
  { path: "/dev/random", type: "c", major: 1, minor: 8, fileMode: 0o666 },
  { path: "/dev/urandom", type: "c", major: 1, minor: 9, fileMode: 0o666 },
  { path: "/dev/tty", type: "c", major: 5, minor: 0, fileMode: 0o666 },
];

/** Any node may be made, but only those that lead nowhere may be opened. */
const HARMLESS: readonly DeviceRule[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...STANDARD_DEVICES.map(
    ({ major = 0, minor = 0 }): DeviceRule => ({
      allow: true,
      type: "c",
      major,
      minor,
      access: "rwm",
    }),
  ),
  // /dev/console, /dev/ptmx, and every pseudo-terminal.
  { allow: true, type: "c", major: 5, minor: 1, access: "rwm" },
  { allow: true, type: "c", major: 5, minor: 2, access: "rwm" },
  { allow: true, type: "c", major: 136, access: "rwm" },
];

const DEFAULT_RULES: readonly DeviceRule[] = [{ allow: false, access: "rwm" }, ...HARMLESS];

/** Which devices a container's cgroup lets it use, later rules over earlier ones. */
export function deviceRules(privileged: boolean): readonly DeviceRule[] {
  return privileged ? [{ allow: true, access: "rwm" }] : DEFAULT_RULES;
}

/** A foreign spec's rules, and what every runtime adds to them: else no node could be made. */
export function withHarmlessDevices(rules: readonly DeviceRule[]): readonly DeviceRule[] {
  return rules.every((rule) => rule.allow) ? rules : [...rules, ...HARMLESS];
}

/**
 * `--device-cgroup-rule`: a kind, numbers or stars, and what is allowed, as in `c 10:* rwm`.
 * @throws TsimgError ERR_USAGE
 */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d{1,7}|\*):(\d{1,7}|\*) ([rwm]{1,3})$/.exec(text);
  const [, type, major = "*", minor = "*", access] = match ?? [];
  if (access === undefined) {
    throw new TsimgError("ERR_USAGE", `invalid --device-cgroup-rule "${text.slice(0, 64)}"`, {
      hint: "write a kind (a, b or c), major:minor or stars, and letters of rwm: c 10:* rwm",
    });
  }
  return {
    allow: true,
    type: type as "a" | "b" | "c",
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  };
}

/**
 * Which of the host's nodes a privileged container gets beside the standard ones.
 *
 * What belongs to one /dev alone is left out: its terminals' file system and its console.
 */
export function privilegedDevices(hostDevices: readonly Device[]): readonly Device[] {
  const standard = new Set(STANDARD_DEVICES.map((device) => device.path));
  return hostDevices.filter(({ path, type }) => {
    if (type !== "c" && type !== "b") return false;
    if (standard.has(path) || path === "/dev/console" || path === "/dev/ptmx") return false;
    return !/^\/dev\/(pts|shm|mqueue|fd)\//.test(path);
  });
}
