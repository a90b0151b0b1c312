/** Of containers for which no other profile is chosen. */
export const DEFAULT_PROFILE = "tsimg-default";

/** To be raised with every change of the text below. */
const TEXT_VERSION = 1;

/**
 * Stands in the kernel's list beside the profile when it is of this version's text: a profile
 * nested in it that nobody enters.
 */
export const DEFAULT_PROFILE_MARK = `${DEFAULT_PROFILE}//text-${TEXT_VERSION}`;

/** Address families that only old programs or attackers ask for. */
const NO_FAMILIES = `
  ax25 ipx appletalk netrom rose econet atmsvc irda wanpipe alg vsock
`
  .trim()
  .split(/\s+/);

/** What of Debian's policy files this machine has. */
export interface PolicyFiles {
  /** abi/3.0, of which "network" includes Unix sockets. */
  readonly abi3: boolean;
  /** tunables/global and abstractions/base. */
  readonly base: boolean;
}

/**
 * The default profile, for apparmor_parser: as docker-default, and closer where docker's
 * patterns let more pass than they mean to.
 *
 * It holds again what mounts and seccomp hold already, for a container that got around those:
 * nothing is mounted, the kernel's settings in /proc and /sys stay as they are, and no socket
 * has a family that seccomp can't see in socketcall(2).
 */
export function defaultProfileText({ abi3, base }: PolicyFiles): string {
  return `${abi3 ? "abi <abi/3.0>,\n" : ""}${base ? "#include <tunables/global>\n" : ""}
profile ${DEFAULT_PROFILE} flags=(attach_disconnected,mediate_deleted) {
${base ? "  #include <abstractions/base>\n" : ""}
  capability,
  file,
  network,
  umount,
${NO_FAMILIES.map((family) => `  deny network ${family},\n`).join("")}
  # From the host, and from within the container.
  signal (receive) peer=unconfined,
  signal (send, receive) peer=${DEFAULT_PROFILE},
  ptrace (trace, read, tracedby, readby) peer=${DEFAULT_PROFILE},

  deny mount,

  # Below /proc, processes may be written to, and /proc/sys/kernel/shm*.
  deny /proc/* w,
  deny /proc/[^1-9s/]*/** w,
  deny /proc/s[^y/]*/** w,
  deny /proc/sy[^s/]*/** w,
  deny /proc/sys[^/]*/** w,
  deny /proc/sys/[^k]** w,
  deny /proc/sys/k[^e]** w,
  deny /proc/sys/kernel/[^s]** w,
  deny /proc/sys/kernel/s[^h]** w,
  deny /proc/sys/kernel/sh[^m]** w,
  deny /proc/kcore rwklx,
  deny /proc/sysrq-trigger rwklx,

  # Below /sys, control groups.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,

  profile text-${TEXT_VERSION} {
  }
}
`;
}
