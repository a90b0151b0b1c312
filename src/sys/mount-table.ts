import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tolerating } from "./errno.ts";

/** What happens when a process ends while it is looked at, or is not ours to look at. */
const GONE = ["ENOENT", "ESRCH", "EACCES", "EINVAL"];

/**
 * The directories on which something is mounted.
 * @param mountinfo content of /proc/PID/mountinfo @see proc_pid_mountinfo(5)
 */
export function mountPoints(mountinfo: string): ReadonlySet<string> {
  const lines = mountinfo.split("\n").filter((line) => line !== "");
  return new Set(lines.map((line) => unescapeOctal(line.split(" ")[4] ?? "")));
}

/** Whether this process sees something mounted on `path`, which is absolute and real. */
export function isMountPoint(path: string): boolean {
  return mountPoints(readFileSync("/proc/self/mountinfo", "utf8")).has(path);
}

/**
 * Whether any process sees something mounted on `path`: that of a service, say, which has a
 * mount namespace of its own.
 */
export function isMountPointForAnyone(path: string): boolean {
  if (isMountPoint(path)) return true;
  const seen = new Set([readlinkSync("/proc/self/ns/mnt")]);
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .some((pid) => {
      const namespace = tolerating(GONE, () => readlinkSync(`/proc/${pid}/ns/mnt`));
      if (namespace === undefined || seen.has(namespace)) return false;
      seen.add(namespace);
      const mountinfo = tolerating(GONE, () => readFileSync(`/proc/${pid}/mountinfo`, "utf8"));
      return mountPoints(mountinfo ?? "").has(path);
    });
}

/** Space, tab, line feed and backslash are written as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
