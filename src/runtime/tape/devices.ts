import { posix } from "node:path";
import type { Device, Spec } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import type { ConstantName } from "./constants.ts";
import { attach, cloneTree } from "./mounts.ts";
import type { Steps } from "./steps.ts";
import type { Flags, Register } from "./tape.ts";
import { flags } from "./tape.ts";
import { directoryTarget, mountTarget, relativeToRoot } from "./target.ts";

const NO_FOLLOW = flags("AT_SYMLINK_NOFOLLOW");

/** Every container has these. @see OCI runtime-spec, config-linux.md, "Default Devices" */
const STANDARD: readonly Device[] = (
  [
    ["null", 1, 3],
    ["zero", 1, 5],
    ["full", 1, 7],
    ["random", 1, 8],
    ["urandom", 1, 9],
    ["tty", 5, 0],
  ] as const
).map(([name, major, minor]) => ({
  path: `/dev/${name}`,
  type: "c",
  major,
  minor,
  fileMode: 0o666,
}));

const LINKS: readonly (readonly [name: string, target: string])[] = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
  ["ptmx", "pts/ptmx"],
];

const KINDS: Readonly<Record<Device["type"], ConstantName>> = {
  c: "S_IFCHR",
  u: "S_IFCHR",
  b: "S_IFBLK",
  p: "S_IFIFO",
};

/**
 * Makes the device nodes and the usual links in /dev. Needs umask 0.
 *
 * @param binds whether the host's nodes are shown instead: in a user namespace nobody makes any
 */
export function makeDevices(steps: Steps, root: Register, spec: Spec, binds: boolean): void {
  const onDev = spec.mounts.find((mount) => relativeToRoot(mount.destination) === "dev");
  // A bound /dev belongs to somebody else: nothing is made in it.
  if (onDev?.type === "bind" || onDev?.options.some((it) => /^r?bind$/.test(it))) return;
  const asked = spec.linux.devices ?? [];
  const paths = new Set(asked.map((device) => `/${relativeToRoot(device.path)}`));
  const devices = [...STANDARD.filter((device) => !paths.has(device.path)), ...asked];
  steps.scope(() => {
    const dev = directoryTarget(steps, root, "/dev");
    const make = binds ? bindDevice : makeDevice;
    for (const device of devices) steps.scope(() => make(steps, root, device, dev));
    for (const [name, target] of LINKS) {
      const why = `linking "/dev/${name}" to "${target}"`;
      steps.call("symlinkat", [target, dev, name], why, { tolerate: ["EEXIST"] });
    }
  });
}

function makeDevice(steps: Steps, root: Register, device: Device, dev: Register): void {
  const path = `/${relativeToRoot(device.path)}`;
  const name = posix.basename(path);
  if (!Object.hasOwn(KINDS, device.type) || name === ".") {
    throw new TsimgError(
      "ERR_LAUNCH",
      `device "${device.path}" of type "${device.type}" can't be made`,
      { hint: "the type is one of c, b, u, p" },
    );
  }
  const parent = posix.dirname(path);
  const directory = parent === "/dev" ? dev : directoryTarget(steps, root, parent);
  const mode: Flags = { ...flags(KINDS[device.type]), bits: (device.fileMode ?? 0o666) & 0o7777 };
  const number = device.type === "p" ? 0n : deviceNumber(device.major ?? 0, device.minor ?? 0);
  const why = `making device "${path}"`;
  steps.call("mknodat", [directory, name, mode, number], why, { tolerate: ["EEXIST"] });
  if ((device.uid ?? 0) !== 0 || (device.gid ?? 0) !== 0) {
    steps.call("fchownat", [directory, name, device.uid ?? 0, device.gid ?? 0, NO_FOLLOW], why);
  }
}

function bindDevice(steps: Steps, root: Register, device: Device): void {
  const path = `/${relativeToRoot(device.path)}`;
  const why = `showing the host's device "${path}"`;
  const node = cloneTree(steps, path, why, "mount", "the host needs to have it, too");
  attach(steps, node, mountTarget(steps, root, path, node), why);
}

/** The kernel's 64-bit dev_t: 12 bits of major and 20 of minor, interleaved. */
export function deviceNumber(major: number, minor: number): bigint {
  const low = BigInt(minor & 0xff) | (BigInt(major & 0xfff) << 8n);
  const high = (BigInt(minor) & ~0xffn) << 12n;
  return low | high;
}
