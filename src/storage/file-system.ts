import { existsSync, readFileSync, realpathSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { mountPoints } from "../sys/mount-table.ts";

/** By the numbers of statfs(2): what a store is likely to lie on. @see linux/magic.h */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x5846_5342, "xfs"],
  [0x9123_683e, "btrfs"],
  [0x2fc1_2fc1, "zfs"],
  [0x0102_1994, "tmpfs"],
  [0xf2f5_2010, "f2fs"],
  [0x794c_7630, "overlay"],
  [0x6969, "nfs"],
  [0x6573_5546, "fuse"],
]);

export interface FileSystem {
  /** `ext4`, `xfs`, `btrfs`, …; `fuse.zfs` is a ZFS that a daemon serves. */
  readonly type: string;
  /** What is mounted there: a device, a dataset. */
  readonly source: string;
  /** Those of the mount, then those of the file system, as /proc/self/mountinfo has them. */
  readonly options: string;
}

/** The type of the file system that holds `path`, or will when `path` is made. One call. */
export function fileSystemType(path: string): string {
  const { type } = statfsSync(nearestExisting(path));
  return NAMES.get(type) ?? `0x${type.toString(16)}`;
}

/** The file system that holds `path`, from the list of mounts. */
export function fileSystemOf(path: string): FileSystem {
  const real = realpathSync(nearestExisting(path));
  let best = { point: "", type: "unknown", source: "", options: "" };
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const [point = "", own = ""] = left.split(" ").slice(4, 6).map(unescapeField);
    const [type = "", source = "", more = ""] = right.split(" ");
    const above = real === point || real.startsWith(point === "/" ? "/" : `${point}/`);
    // Of mounts on top of each other the later one shows.
    if (point !== "" && above && point.length >= best.point.length)
      best = { point, type, source: unescapeField(source), options: `${own},${more}` };
  }
  return { type: best.type, source: best.source, options: best.options };
}

/** Where something is mounted at `path` or below, innermost first. */
export function mountPointsBelow(path: string): readonly string[] {
  return [...mountPoints(readFileSync("/proc/self/mountinfo", "utf8"))]
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .toReversed();
}

/** The dataset that holds `path`, when it lies on ZFS, whichever implementation. */
export function zfsDatasetOf(path: string): string | undefined {
  const { type, source } = fileSystemOf(path);
  const isZfs = type === "zfs" || type === "fuse.zfs";
  return isZfs && /^[a-zA-Z][\w.:/-]*$/.test(source) ? source : undefined;
}

export function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}

/** Spaces and the like stand as octal numbers there. @see proc_pid_mountinfo(5) */
function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
