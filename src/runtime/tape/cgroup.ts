import { posix } from "node:path";
import type { CgroupPlan } from "../cgroup/plan.ts";
import type { CgroupView } from "./mounts.ts";
import type { Steps } from "./steps.ts";
import { flags, mode } from "./tape.ts";

const WRITE = flags("O_WRONLY", "O_CLOEXEC");
const HERE = flags("AT_FDCWD");

/** On the host, before the clone: the container's cgroups with their limits. */
export function makeCgroups(steps: Steps, plan: CgroupPlan): void {
  for (const directory of plan.directories) {
    steps.call("mkdirat", [HERE, directory, mode(0o755)], `making cgroup "${directory}"`, {
      tolerate: ["EEXIST"],
      hint: "tsimg must be able to write to the cgroup file system",
    });
  }
  for (const { file, value, why, optional } of plan.writes) {
    steps.scope(() =>
      writeFile(steps, file, value, `${why}: writing ${value} to "${file}"`, optional),
    );
  }
}

/** Writes a small file in one write, as the kernel's own file systems want it. */
export function writeFile(
  steps: Steps,
  file: string,
  value: string,
  why: string,
  optional = false,
): void {
  const fd = steps.register();
  const write = () => {
    steps.call("write", [fd, value, Buffer.byteLength(value)], why, {
      tolerate: optional ? "any" : [],
    });
    steps.call("close", [fd], why);
  };
  const open = () => steps.keep("openat", [HERE, file, WRITE], why, { into: fd });
  if (optional) return steps.attempt(open, { tolerate: "any", ok: write });
  open();
  write();
}

/**
 * In the child, before its cgroup namespace is made, so that the namespace begins there.
 *
 * A v1 hierarchy is joined through `tasks`: writing "0" there moves the caller alone and
 * spares the kernel's lock over all threads, which waits for an RCU grace period. For a
 * process of one thread the outcome is the same. A v2 cgroup has no such file.
 */
export function joinCgroups(steps: Steps, procsFiles: readonly string[]): void {
  for (const file of procsFiles) {
    const directory = directoryOf(file);
    const why = `joining cgroup "${directory}"`;
    steps.scope(() => {
      const fd = steps.register();
      const tasks = `${directory}/tasks`;
      steps.attempt(() => steps.keep("openat", [HERE, tasks, WRITE], why, { into: fd }), {
        tolerate: ["ENOENT"],
        otherwise: () => steps.keep("openat", [HERE, file, WRITE], why, { into: fd }),
      });
      steps.call("write", [fd, "0", 1], why);
      steps.call("close", [fd], why);
    });
  }
}

export function removeCgroups(steps: Steps, plan: CgroupPlan): void {
  for (const directory of plan.removals) {
    const how = flags("AT_REMOVEDIR");
    steps.call("unlinkat", [HERE, directory, how], `removing cgroup "${directory}"`, {
      tolerate: ["ENOENT"],
      retryBusy: true,
    });
  }
}

/** Which cgroups the container sees, from where its first process joins. */
export function cgroupViews(plan: CgroupPlan, cgroupsPath: string | undefined): CgroupView[] {
  const suffix = cgroupsPath ?? "";
  return plan.procsFiles.map((file) => {
    const directory = directoryOf(file);
    const mountPoint = directory.endsWith(suffix)
      ? directory.slice(0, directory.length - suffix.length)
      : directory;
    const unified = mountPoint === "/sys/fs/cgroup";
    return { directory, name: unified ? "." : posix.basename(mountPoint) };
  });
}

function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}
