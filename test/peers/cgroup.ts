import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const MOUNT = "/sys/fs/cgroup";
const UNIFIED = existsSync(join(MOUNT, "cgroup.controllers"));
/** Version 1 has one tree a controller; these are the two that measure. */
const TREES = UNIFIED ? [MOUNT] : [join(MOUNT, "cpuacct"), join(MOUNT, "memory")];
const [CPU_TREE = MOUNT] = TREES;

/**
 * A control group for all processes of one tool: its daemons and clients in `processes`, its
 * containers below `containers`.
 */
export interface Group {
  /** Where the tool shall put its containers' groups, as a path from the hierarchy's root. */
  readonly containers: string;
  /** A prefix for a command line that starts it inside the group. */
  readonly launch: readonly string[];
  /** Moves this process, so that what it spawns starts inside. */
  enter(): void;
  /** Processor time of all that ever ran inside, in milliseconds. */
  cpuMs(): number;
  /** Who is inside now, without this process. */
  pids(): readonly number[];
}

/** Makes the group `name` below `parent`, which `removeGroups(parent)` removes. */
export function makeGroup(parent: string, name: string): Group {
  const path = join("/", parent, name);
  for (const tree of TREES) {
    for (const leaf of ["processes", "containers"]) {
      mkdirSync(join(tree, path, leaf), { recursive: true });
    }
    if (UNIFIED) delegate(tree, ["/", join("/", parent), path, join(path, "containers")]);
  }
  const doors = TREES.map((tree) => join(tree, path, "processes/cgroup.procs"));
  const enter = doors.map((door) => `echo $$ >${door}`).join("; ");
  return {
    containers: join(path, "containers"),
    launch: ["sh", "-c", `${enter}; exec "$@"`, "sh"],
    enter() {
      for (const door of doors) writeFileSync(door, String(process.pid));
    },
    cpuMs: () => cpuMs(join(CPU_TREE, path)),
    pids: () => pidsBelow(join(CPU_TREE, path)).filter((pid) => pid !== process.pid),
  };
}

function delegate(tree: string, paths: readonly string[]): void {
  for (const path of paths) {
    for (const controller of ["cpu", "memory", "pids"]) {
      try {
        writeFileSync(join(tree, path, "cgroup.subtree_control"), `+${controller}`);
      } catch {
        // A controller that the machine hasn't got measures nothing for any tool.
      }
    }
  }
}

function cpuMs(dir: string): number {
  if (!UNIFIED) return Number(readFileSync(join(dir, "cpuacct.usage"), "utf8")) / 1e6;
  const usage = /^usage_usec (\d+)/m.exec(readFileSync(join(dir, "cpu.stat"), "utf8"))?.[1];
  return Number(usage) / 1e3;
}

function pidsBelow(dir: string): readonly number[] {
  try {
    const own = readFileSync(join(dir, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
    return [...own.map(Number), ...subdirectories(dir).flatMap(pidsBelow)];
  } catch {
    return []; // A container's group can go at any moment.
  }
}

function subdirectories(dir: string): readonly string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
}

/** Removes `parent` and all below it, from every tree in which some tool made it. */
export async function removeGroups(parent: string): Promise<void> {
  const trees = UNIFIED ? [MOUNT] : subdirectories(MOUNT);
  for (const tree of trees) {
    // Processes that were just killed keep their group busy for a moment.
    for (let tries = 0; tries < 20 && !removeTree(join(tree, parent)); tries++) await sleep(50);
  }
}

function removeTree(dir: string): boolean {
  if (!existsSync(dir)) return true;
  try {
    for (const child of subdirectories(dir)) removeTree(child);
    rmdirSync(dir);
    return true;
  } catch {
    return false;
  }
}
