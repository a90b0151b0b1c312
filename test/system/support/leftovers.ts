import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tolerating } from "../../../src/sys/errno.ts";
import { patience } from "./slowness.ts";

const GONE = ["ENOENT", "ESRCH", "EACCES", "EINVAL"];

/**
 * What tsimg could leave on the machine beside its files, each as a line: mounts, loop
 * devices and processes that have to do with the store at `root`, and cgroups of `containers`.
 */
export function traces(root: string, containers: Iterable<string> = []): readonly string[] {
  return [...mounts(root), ...cgroups(containers), ...loops(root), ...processes(root)];
}

/** As `traces`, after giving what is just ending a moment to be gone. */
export async function lastingTraces(
  root: string,
  containers: readonly string[] = [],
): Promise<readonly string[]> {
  const end = Date.now() + patience(5000);
  while (Date.now() < end && traces(root, containers).length > 0) await sleep(50);
  return traces(root, containers);
}

function mounts(root: string): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.filter((line) => line.includes(root)).map((line) => `mount ${line}`);
}

/** In whichever hierarchy. Those of other containers are other tests' business. */
function cgroups(containers: Iterable<string>): string[] {
  const wanted = new Set(containers);
  const hierarchies = list("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name));
  return ["/sys/fs/cgroup", ...hierarchies].flatMap((directory) =>
    list(join(directory, "tsimg"))
      .filter((name) => wanted.has(name))
      .map((name) => `cgroup ${join(directory, "tsimg", name)}`),
  );
}

function loops(root: string): string[] {
  return list("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .map((name) => read(join("/sys/block", name, "loop/backing_file")).trim())
    .filter((file) => file.startsWith(root))
    .map((file) => `loop device of ${file}`);
}

function processes(root: string): string[] {
  return list("/proc")
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => [pid, read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")] as const)
    .filter(([pid, command]) => command.includes(root) || mountsOf(pid, root))
    .map(([pid, command]) => `process ${pid} ${command}`);
}

/** Unpack processes and containers name no store, but what they see mounted comes from there. */
function mountsOf(pid: string, root: string): boolean {
  return read(`/proc/${pid}/mountinfo`).includes(root);
}

function list(directory: string): string[] {
  return tolerating(GONE.concat("ENOTDIR"), () => readdirSync(directory)) ?? [];
}

function read(path: string): string {
  return tolerating(GONE, () => readFileSync(path, "latin1")) ?? "";
}

/** Every path below a store, but for SQLite's own files. */
export function filesOf(root: string): readonly string[] {
  const paths = tolerating(GONE, () => readdirSync(root, { recursive: true })) ?? [];
  return (paths as string[]).filter((path) => !path.startsWith("tsimg.db")).sort();
}
