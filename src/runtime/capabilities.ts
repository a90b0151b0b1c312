import type { CapabilitySets } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { nearest } from "./near-match.ts";

/** Linux capabilities in the order of their bits, from 0: linux/capability.h. */
export const CAPABILITIES = `
  CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID
  CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST
  CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO
  CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE
  CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE
  CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM
  CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE
`
  .trim()
  .split(/\s+/);

/** What docker gives a container that asks for nothing. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

export interface CapabilityWish {
  readonly privileged: boolean;
  /** As given: `NET_ADMIN`, `cap_net_admin`, `ALL`. */
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** Names of those that tsimg's own process may hand on: see `capabilityNames`. */
  readonly available: readonly string[];
  /**
   * Whether a cgroup limits which devices the container may open. Where nothing does, a
   * device node would give access to the host's disks, so CAP_MKNOD is only given when asked
   * for by name.
   */
  readonly devicesLimited: boolean;
}

/**
 * The capabilities of a container, in the order of their bits.
 *
 * As docker does: `--cap-drop ALL` leaves what is added by name; `--cap-add ALL` gives all but
 * what is dropped by name; otherwise the default set, less what is dropped, plus what is added.
 * What this machine can't give is left out silently.
 *
 * @throws TsimgError ERR_USAGE for a name that no kernel has
 */
export function chooseCapabilities(wish: CapabilityWish): readonly string[] {
  const add = wish.add.map((name) => canonicalName(name, "--cap-add"));
  const drop = wish.drop.map((name) => canonicalName(name, "--cap-drop"));
  if (wish.privileged) return inBitOrder(new Set(CAPABILITIES), wish.available);

  return inBitOrder(chosenNames(new Set(add), new Set(drop), wish.devicesLimited), wish.available);
}

/**
 * What a container's first process gets of the capabilities granted to the container.
 *
 * Root has them. Anyone else has none, and gets no more than these from a program with file
 * capabilities: what execve would make of them anyway. None is inheritable: a process of
 * another user could raise an inheritable one through a file capability that was meant for
 * somebody else (CVE-2022-24769). And so none is ambient.
 */
export function capabilitySets(granted: readonly string[], uid: number): CapabilitySets {
  const held = uid === 0 ? granted : [];
  return { bounding: granted, effective: held, permitted: held, inheritable: [], ambient: [] };
}

/**
 * The names of the bits set in a mask as /proc/self/status writes it (`CapBnd`), up to the
 * kernel's last one.
 *
 * @param lastCapability content of /proc/sys/kernel/cap_last_cap
 */
export function capabilityNames(hexMask: string, lastCapability: string): readonly string[] {
  const mask = BigInt(`0x${hexMask.trim()}`);
  const last = Number(lastCapability);
  return CAPABILITIES.filter((_, bit) => bit <= last && ((mask >> BigInt(bit)) & 1n) === 1n);
}

function chosenNames(
  add: ReadonlySet<string>,
  drop: ReadonlySet<string>,
  devicesLimited: boolean,
): ReadonlySet<string> {
  if (add.has("ALL")) return new Set(CAPABILITIES).difference(drop);
  if (drop.has("ALL")) return add;
  const defaults = new Set(DEFAULT_CAPABILITIES);
  if (!devicesLimited) defaults.delete("CAP_MKNOD");
  return defaults.difference(drop).union(add);
}

function inBitOrder(chosen: ReadonlySet<string>, available: readonly string[]): readonly string[] {
  const possible = new Set(available);
  return CAPABILITIES.filter((name) => chosen.has(name) && possible.has(name));
}

function canonicalName(given: string, flag: string): string {
  const upper = given.trim().toUpperCase();
  if (upper === "ALL") return upper;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (CAPABILITIES.includes(name)) return name;
  const near = nearest(name, CAPABILITIES);
  throw new TsimgError("ERR_USAGE", `unknown capability "${given.slice(0, 64)}" in ${flag}`, {
    hint:
      near === undefined
        ? "capabilities(7) lists them; ALL stands for every one"
        : `did you mean ${near.slice("CAP_".length)}?`,
  });
}
