import { poolOf, SEAL, withoutSnapshot } from "./dataset-name.ts";
import type { Obstacle } from "./obstacle.ts";
import { tryZfs, zfs } from "./zfs-command.ts";

/** A dataset or snapshot of the pool. */
export interface PoolEntry {
  readonly name: string;
  /** The snapshot that it was cloned from, or "-". */
  readonly origin: string;
  /** How many holds a snapshot has. */
  readonly holds: number;
}

/**
 * Destroys datasets and our snapshots of them with the command `zfs` alone, for the
 * implementation that has nothing better.
 *
 * One dataset is destroyed at once: without `-r` and `-R` nothing else can go with it. Only
 * where that fails, or with more of them, the whole pool is listed first, since a clone may be
 * anywhere in it. Then each tree of clones that is all ours goes by one command.
 */
export function destroyByCommand(datasets: readonly string[]): readonly Obstacle[] {
  const [only] = datasets;
  if (only === undefined) return [];
  if (datasets.length === 1) {
    const { status, stderr } = tryZfs(["destroy", only]);
    if (status === 0) return [];
    if (/busy|cannot unmount/.test(stderr)) return [{ dataset: only, kind: "busy", what: stderr }];
  }
  const { roots, obstacles } = planOf(datasets, listPool(poolOf(only)));
  return [...obstacles.map(withTag), ...roots.flatMap(destroyTree)];
}

/** What can be destroyed, as roots of trees of clones, and what stands in the way of the rest. */
export function planOf(
  datasets: readonly string[],
  pool: readonly PoolEntry[],
): { readonly roots: readonly string[]; readonly obstacles: readonly Obstacle[] } {
  const wanted = new Set(datasets);
  const origins = new Map(pool.map(({ name, origin }) => [name, withoutSnapshot(origin)]));
  const obstacles = pool.flatMap((entry) => obstaclesOf(entry, wanted));
  const kept = new Set<string>();
  // Whoever has a clone that stays has to stay too, and so on down to the first parent.
  for (const { dataset } of obstacles)
    for (let at: string | undefined = dataset; at !== undefined && !kept.has(at); ) {
      kept.add(at);
      at = origins.get(at);
    }
  const going = datasets.filter((dataset) => origins.has(dataset) && !kept.has(dataset));
  const gone = new Set(going);
  return { roots: going.filter((it) => !gone.has(origins.get(it) ?? "")), obstacles };
}

/** Why the datasets in `wanted` can't go, as far as this entry of the pool is to blame. */
function obstaclesOf(entry: PoolEntry, wanted: ReadonlySet<string>): readonly Obstacle[] {
  const { name, origin, holds } = entry;
  const dataset = withoutSnapshot(name);
  const found: Obstacle[] = [];
  if (name !== dataset && wanted.has(dataset)) {
    if (name !== `${dataset}@${SEAL}`) found.push({ dataset, kind: "snapshot", what: name });
    if (holds > 0) found.push({ dataset, kind: "hold", what: name });
  }
  const source = withoutSnapshot(origin);
  if (wanted.has(source) && !wanted.has(name))
    found.push({ dataset: source, kind: "clone", what: name });
  const parent = dataset.slice(0, dataset.lastIndexOf("/"));
  if (name === dataset && wanted.has(parent))
    found.push({ dataset: parent, kind: "child", what: name });
  return found;
}

/** Adds who holds a snapshot, where that can be found out. */
function withTag(obstacle: Obstacle): Obstacle {
  if (obstacle.kind !== "hold") return obstacle;
  // zfs-fuse as Debian builds it can't say: its helper in Python is missing.
  const { status, stdout } = tryZfs(["holds", "-H", obstacle.what]);
  const tag = status === 0 ? stdout.split("\n")[0]?.split("\t")[1] : undefined;
  return tag === undefined ? obstacle : { ...obstacle, tag };
}

function destroyTree(dataset: string): readonly Obstacle[] {
  const { status, stderr } = tryZfs(["destroy", "-R", dataset]);
  if (status === 0) return [];
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  // Prose, but the only word for EBUSY that there is. The command also tries to unmount what
  // has been unmounted already, until its daemon has noticed; and a command that outlives a
  // killed tsimg may be destroying the same.
  const kind = /busy|cannot unmount|does not exist/.test(reason) ? "busy" : "errno";
  return [{ dataset, kind, what: reason }];
}

function listPool(pool: string): readonly PoolEntry[] {
  const columns = ["-o", "name,origin,userrefs", "-t", "filesystem,volume,snapshot"];
  return parsePool(zfs(["list", "-rH", ...columns, pool]));
}

/** @param text lines `name TAB origin TAB number or dash` */
export function parsePool(text: string): readonly PoolEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", origin = "-", holds = "-"] = line.split("\t");
      return { name, origin, holds: Number(holds) || 0 };
    });
}
