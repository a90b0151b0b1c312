import type { Contrast } from "./facts.ts";

export const PEERS = ["runc", "crun"] as const;
export type Peer = (typeof PEERS)[number];

export interface Difference {
  /** Which facts. */
  readonly fact: RegExp;
  readonly ours?: RegExp;
  readonly theirs?: RegExp;
  /** All of them when absent. */
  readonly peer?: Peer;
  /** Of FLAG_SETS; all of them when absent. */
  readonly set?: string;
  /** Shows only on machines with version 2 of control groups alone. */
  readonly version2?: true;
  readonly why: string;
}

/**
 * All that tells a container of ours from one of runc's 1.1 or crun's 1.8, with control groups
 * of version 1 or 2. What is not in this list must be equal.
 */
export const DIFFERENCES: readonly Difference[] = [
  {
    fact: /^process\.death_signal$/,
    ours: /^9$/,
    theirs: /^0$/,
    why: "a container of ours dies with its launcher, which alone knows how it ended",
  },
  {
    fact: /^(cgroup\.|mount\.\/sys\/fs\/cgroup\/)(\.\/)?(blkio|cpu|cpuacct|cpuset|io|pids|systemd)([./]|$)/,
    ours: /^\(none\)$/,
    why: "ours has only the controllers that it needs: docs/design/cgroups.md",
  },
  {
    fact: /^mount\.\/sys\/fs\/cgroup$/,
    ours: /^tmpfs r[ow],nosuid,nodev,noexec,relatime from/,
    theirs: /^tmpfs rw,nosuid,nodev,noexec,relatime from/,
    why: "the directory that holds the hierarchies is read-only in ours",
  },
  {
    fact: /^file\.\/sys\/fs\/cgroup$/,
    ours: /^mode 40755/,
    theirs: /^mode (40555|41777)/,
    why: "and nobody but root could write to it, were it not",
  },
  {
    fact: /^(device\.made\.tunnel|cgroup\.devices\/devices\.list c) 10:200$/,
    theirs: /ok$|^rwm$/,
    peer: "runc",
    why: "runc lets every container open /dev/net/tun; later ones don't",
  },
  {
    fact: /^descriptor\.[012]$/,
    ours: /^(\/null|socket:|pipe:), .* owner (0:0|65534:65534|1000:0), /,
    why: "runc puts pipes of its own in between, ours does for users other than root and passes on the caller's streams else, with an empty input without -i; runc and crun make the user and the group their owners",
  },
  {
    fact: /^mount\.\/(proc\/acpi|sys\/firmware)$/,
    ours: /size=0k/,
    peer: "runc",
    why: "ours masks directories with a tmpfs that can hold nothing",
  },
  {
    fact: /^mount\.\/sys$/,
    ours: /^sysfs ro,.*; rw$/,
    theirs: /^sysfs ro,.*; ro$/,
    peer: "runc",
    why: "ours is read-only as a mount, runc's as a file system, too",
  },
  {
    fact: /^file\.\/sys(\/|$)/,
    ours: /write: EACCES$/,
    theirs: /write: EROFS$/,
    peer: "runc",
    why: "a read-only file system refuses before permissions are looked at, a read-only mount after",
  },
  {
    fact: /^call\.(listmount|lsm_get_self_attr|mseal|statmount)$/,
    theirs: /^ENOSYS$/,
    peer: "runc",
    why: "its libseccomp, 2.5.4, doesn't know the names and the profile's rules for them are lost",
  },
  {
    fact: /^call\.(listmount|mseal|statmount|a number of the future)$/,
    theirs: /^EPERM$/,
    peer: "crun",
    why: "its libseccomp doesn't know the names; crun refuses with EPERM what no rule names",
  },
  {
    fact: /^descriptor\.\d\.terminal$/,
    ours: /output 5 /,
    theirs: /output 1 /,
    peer: "runc",
    set: "terminal",
    why: "runc takes ONLCR from a terminal",
  },
  {
    fact: /^descriptor\.\d\.terminal$/,
    theirs: /, 0x0$/,
    peer: "crun",
    set: "terminal",
    why: "crun gives the terminal its size when the program runs already",
  },
  {
    fact: /^mount\.\/dev\/console$/,
    ours: /^devpts rw,nosuid,noexec,/,
    theirs: /^devpts rw,relatime/,
    peer: "crun",
    set: "terminal",
    why: "crun's bind mount forgets the options of what it binds",
  },
  {
    fact: /^mount\.\/proc\/(bus|fs|irq|sys|sysrq-trigger)$/,
    ours: /^proc ro,nosuid,nodev,noexec,/,
    theirs: /^proc ro,relatime/,
    peer: "crun",
    why: "crun's read-only paths forget the options of what they cover",
  },
  {
    fact: /^mount\.\/proc\/(interrupts|kcore|keys|timer_list)$/,
    ours: /^tmpfs rw,nosuid from \/null/,
    theirs: /^devtmpfs ro,relatime from \/null/,
    peer: "crun",
    why: "crun masks files with the host's null device, ours with the container's",
  },
  {
    fact: /^device\.\/dev\/core$/,
    ours: /^\(none\)$/,
    why: "ours has no link /dev/core to /proc/kcore, which is masked; runc's only where it is there",
  },
  {
    fact: /^credentials\.session_keyring\.description$/,
    ours: /;_ses$/,
    theirs: /;(_ses\.)?tsimg-probe-/,
    why: "runc and crun name the keyring after the container, ours has the kernel's name for a new one",
  },
  {
    fact: /^device\.\/dev\/mqueue$/,
    ours: /65534:65534$/,
    set: "mapped users",
    why: "ours makes the IPC namespace together with the user namespace, before anybody is mapped",
  },
  {
    fact: /^mount\.\/(dev\/(full|null|random|tty|urandom|zero)|proc\/(interrupts|kcore|keys|timer_list))$/,
    ours: /^devtmpfs rw,relatime from/,
    set: "mapped users",
    why: "there the host's device nodes are mounted, each runtime with other options",
  },
  {
    fact: /^mount\.\/etc\/(hosts|hostname|resolv\.conf)$/,
    set: "mapped users",
    why: "in a bundle they belong to the mapped users; in the store to root, shown by mapped mounts",
  },
  {
    fact: /^(cgroup\.\.\/cgroup\.subtree_control|file\.\/sys\/fs\/cgroup)$/,
    ours: /write: EACCES$/,
    theirs: /write: EROFS$/,
    peer: "crun",
    set: "mapped users",
    version2: true,
    why: "crun makes the container's root the owner of its group, though it is mounted read-only",
  },
  {
    fact: /^(process\.(id|others|parent|session)|status\.NS[st])/,
    set: "host processes",
    why: "what is seen there is the host's, and changes all the time",
  },
  {
    fact: /^(process\.(id|init|others|session)|status\.NS[st])/,
    set: "init",
    why: "--init puts tsimg's own init process in front, which a bundle can't say",
  },
];

export function explains(contrast: Contrast, peer: Peer, set: string): readonly Difference[] {
  return DIFFERENCES.filter(
    (one) =>
      one.fact.test(contrast.fact) &&
      (one.ours?.test(contrast.ours) ?? true) &&
      (one.theirs?.test(contrast.theirs) ?? true) &&
      (one.peer ?? peer) === peer &&
      (one.set ?? set) === set,
  );
}

/** As lines for people: what no entry of the list explains. */
export function unexplained(
  found: readonly Contrast[],
  peer: Peer,
  set: string,
): readonly string[] {
  return found
    .filter((contrast) => explains(contrast, peer, set).length === 0)
    .map(({ fact, ours, theirs }) => `${fact}: ours ${ours}; ${peer}'s ${theirs}`);
}
