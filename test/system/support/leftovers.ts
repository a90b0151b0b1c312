import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tolerating } from "../../../src/sys/errno.ts";

const GONE = ["ENOENT", "ESRCH", "EACCES", "EINVAL"];

/**
 * What tsimg could leave on the machine beside its files, each as a line: mounts, cgroups,
 * loop devices and processes that have to do with the store at `root`.
 */
export function traces(root: string): readonly string[] {
  return [...mounts(root), ...cgroups(root), ...loops(root), ...processes(root)];
}

/** As `traces`, after giving what is just ending a moment to be gone. */
export async function lastingTraces(root: string): Promise<readonly string[]> {
  for (let attempt = 0; attempt < 100 && traces(root).length > 0; attempt++) await sleep(50);
  return traces(root);
}

function mounts(root: string): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.filter((line) => line.includes(root)).map((line) => `mount ${line}`);
}

/** Every cgroup below a "tsimg" directory of any hierarchy whose container `root` had. */
function cgroups(root: string): string[] {
  const ids = new Set(list(join(root, "run")).concat(list(join(root, "containers"))));
  const hierarchies = list("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name));
  return ["/sys/fs/cgroup", ...hierarchies]
    .map((directory) => join(directory, "tsimg"))
    .flatMap((directory) => list(directory).map((name) => join(directory, name)))
    .filter((path) => /[0-9a-f]{64}$/.test(path))
    .filter((path) => known.has(path) === false || ids.has(path.slice(-64)))
    .map((path) => `cgroup ${path}`);
}

/** Cgroups that were there when the tests began are others' business. */
const known = new Set<string>();

/** From here on only new cgroups count. */
export function rememberCgroups(): void {
  known.clear();
  for (const name of ["", ...list("/sys/fs/cgroup")])
    for (const id of list(join("/sys/fs/cgroup", name, "tsimg")))
      known.add(join("/sys/fs/cgroup", name, "tsimg", id));
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
    .filter(([pid, command]) => command.includes(root) || isUnpackOf(pid, root))
    .map(([pid, command]) => `process ${pid} ${command}`);
}

/** Unpack processes name no store: their working directory does. */
function isUnpackOf(pid: string, root: string): boolean {
  const mountinfo = read(`/proc/${pid}/mountinfo`);
  const roots = mountinfo.split("\n").filter((line) => line.includes(root));
  return roots.length > 0;
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
