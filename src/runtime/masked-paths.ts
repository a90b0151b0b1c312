import type { Linux } from "../oci/runtime-spec.ts";
import type { SecurityOptions } from "./security-options.ts";

/**
 * What a container must not see: covered by an empty file or directory. Docker's list;
 * runc's own has no interrupts and no powercap.
 */
export const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  // Counters from which the doings of others can be told, as those of powercap.
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

/** What a container may see and not change. Docker's list. */
export const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** More CPUs than any kernel is built for. */
const MOST_CPUS = 8192;

/**
 * Where each CPU counts how often it got too hot, from which a neighbour's work can be told:
 * to be masked too, where it is there.
 *
 * @param possible content of /sys/devices/system/cpu/possible, such as "0-7,16"
 */
export function thermalPaths(
  possible: string,
  exists: (path: string) => boolean,
): readonly string[] {
  const cpus = possible
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first = Number.NaN, last = first] = range.split("-").map(Number);
      const count = last - first + 1;
      return count >= 1 && count <= MOST_CPUS
        ? Array.from({ length: count }, (_, index) => first + index)
        : [];
    });
  return cpus.map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`).filter(exists);
}

/**
 * What is hidden from a container and kept from being changed.
 *
 * As podman does, `mask` adds and `unmask` takes away, by path or pattern, from both lists;
 * a privileged container has nothing but what `mask` adds.
 *
 * @param thermal see `thermalPaths`
 */
export function hiddenPaths(
  privileged: boolean,
  options: Pick<SecurityOptions, "systemPaths" | "mask" | "unmask">,
  thermal: readonly string[],
): Required<Pick<Linux, "maskedPaths" | "readonlyPaths">> {
  const open = privileged || options.systemPaths === "unconfined" || options.unmask.includes("ALL");
  const patterns = options.unmask.map(patternOf);
  const kept = (paths: readonly string[]) =>
    open ? [] : paths.filter((path) => !patterns.some((pattern) => pattern.test(path)));
  return {
    maskedPaths: [...new Set([...kept([...MASKED_PATHS, ...thermal]), ...options.mask])],
    readonlyPaths: kept(READONLY_PATHS),
  };
}

/** A shell's pattern: `*` and `?` stand for anything but a slash. */
function patternOf(glob: string): RegExp {
  const tidy = glob.replace(/(?<=.)\/+$/, "");
  const source = tidy.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replaceAll(/\*+/g, "[^/]*");
  return new RegExp(`^${source.replaceAll("?", "[^/]")}$`);
}
