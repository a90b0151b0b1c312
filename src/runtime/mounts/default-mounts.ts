import type { Mount } from "../../oci/runtime-spec.ts";

const HARMLESS = ["nosuid", "noexec", "nodev"];

/**
 * The mounts that every container has, in the order to make them.
 *
 * A privileged one may write to /sys and to its cgroup.
 */
export function defaultMounts(privileged: boolean): readonly Mount[] {
  const guard = privileged ? "rw" : "ro";
  return [
    { destination: "/proc", type: "proc", source: "proc", options: HARMLESS },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      // Group 5 is tty in every distribution; grantpt(3) expects it.
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...HARMLESS, guard] },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: [guard, ...HARMLESS],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: HARMLESS },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: [...HARMLESS, "mode=1777", "size=65536k"],
    },
  ];
}

/**
 * Default mounts and others, which come last and parents before children: so a volume on /etc
 * doesn't hide what is bound on /etc/hosts.
 *
 * Where both name one place the other wins, and a /dev of the user's keeps everything that
 * would be mounted below it away.
 *
 * @param chosen the user's mounts, and the files that tsimg makes where the user has none
 */
export function combineMounts(
  defaults: readonly Mount[],
  chosen: readonly Mount[],
): readonly Mount[] {
  const taken = new Set(chosen.map((mount) => mount.destination));
  const ownDev = taken.has("/dev");
  const kept = defaults.filter(({ destination }) => {
    return !taken.has(destination) && !(ownDev && destination.startsWith("/dev/"));
  });
  return [...kept, ...byDepth(chosen)];
}

/** Parents before children; else in their order. */
export function byDepth(mounts: readonly Mount[]): readonly Mount[] {
  const depth = (mount: Mount) => mount.destination.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}
