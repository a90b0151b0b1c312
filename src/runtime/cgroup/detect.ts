/** Which of the kernel's two interfaces to control groups a machine has mounted. */
export interface CgroupLayout {
  /** `hybrid`: version 1 hierarchies with a version 2 tree beside them. */
  readonly kind: "none" | "v1" | "v2" | "hybrid";
  /** Version 1 controllers and where each is mounted; two may share a mount. */
  readonly v1: ReadonlyMap<string, string>;
  /** Where the version 2 tree is mounted, or which group of it counts as its root. */
  readonly unified?: string;
  /** Only what an ordinary user may use is listed: there may be more. */
  readonly delegated?: true;
}

const V1_CONTROLLERS: ReadonlySet<string> = new Set([
  "blkio",
  "cpu",
  "cpuacct",
  "cpuset",
  "devices",
  "freezer",
  "hugetlb",
  "memory",
  "net_cls",
  "net_prio",
  "perf_event",
  "pids",
  "rdma",
]);

/**
 * Finds each controller where it is.
 *
 * A controller mounted more than once counts where it was mounted first: that is where
 * everybody else looks.
 *
 * @param mountinfo content of /proc/self/mountinfo
 */
export function detectCgroups(mountinfo: string): CgroupLayout {
  const v1 = new Map<string, string>();
  let unified: string | undefined;
  for (const line of mountinfo.split("\n")) {
    const mount = cgroupMount(line);
    if (mount === undefined) continue;
    if (mount.version === 2) unified ??= mount.point;
    for (const controller of mount.controllers) {
      if (!v1.has(controller)) v1.set(controller, mount.point);
    }
  }
  return { kind: kindOf(v1.size > 0, unified !== undefined), v1, ...(unified ? { unified } : {}) };
}

function kindOf(hasV1: boolean, hasV2: boolean): CgroupLayout["kind"] {
  if (hasV1) return hasV2 ? "hybrid" : "v1";
  return hasV2 ? "v2" : "none";
}

interface CgroupMount {
  readonly version: 1 | 2;
  readonly point: string;
  readonly controllers: readonly string[];
}

/** @see proc_pid_mountinfo(5): the file system's own fields come after a lone dash. */
function cgroupMount(line: string): CgroupMount | undefined {
  const [before = "", after = ""] = line.split(" - ", 2);
  const point = unescapeOctal(before.split(" ")[4] ?? "");
  const [type, , options = ""] = after.split(" ");
  if (!point.startsWith("/")) return undefined;
  if (type === "cgroup2") return { version: 2, point, controllers: [] };
  if (type !== "cgroup") return undefined;
  const controllers = options.split(",").filter((option) => V1_CONTROLLERS.has(option));
  return { version: 1, point, controllers };
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
