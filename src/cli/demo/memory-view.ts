import { readFileSync } from "node:fs";
import { join } from "node:path";
import { detectCgroups } from "../../runtime/cgroup/detect.ts";
import { tolerating } from "../../sys/errno.ts";

/**
 * The file in which a container finds its limit of memory; undefined where this machine
 * can't limit memory.
 */
export function memoryLimitFile(): string | undefined {
  const { v1, unified } = detectCgroups(readFileSync("/proc/self/mountinfo", "utf8"));
  if (v1.has("memory")) return "/sys/fs/cgroup/memory/memory.limit_in_bytes";
  if (unified === undefined) return undefined;
  const file = join(unified, "cgroup.controllers");
  const controllers = tolerating(["ENOENT"], () => readFileSync(file, "utf8")) ?? "";
  return controllers.trim().split(" ").includes("memory") ? "/sys/fs/cgroup/memory.max" : undefined;
}
