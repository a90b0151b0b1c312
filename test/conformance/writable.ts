import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { SnapshotId } from "../../drivers/driver.ts";
import { mountPrivately } from "../../src/sys/private-mounts.ts";
import type { Workshop } from "./workshop.ts";

/** Layers on top of each other, written by this process. */
export async function stackOf(
  workshop: Workshop,
  layers: Parameters<Workshop["stackHere"]>[0],
): Promise<SnapshotId> {
  const top = await workshop.stackHere(layers);
  if (top === null) throw new Error("there are no layers");
  return top;
}

/** A writable snapshot, as a container gets one. */
export function createOn({ snapshots, driver }: Workshop, parent: SnapshotId | null): SnapshotId {
  const id = snapshots.prepare(driver.name, parent, "active");
  driver.create(id, snapshots.parents(id));
  return id;
}

/** Makes a writable snapshot fit to be a parent, as a commit does. */
export function sealNow({ snapshots, driver }: Workshop, id: SnapshotId): void {
  driver.seal(id, snapshots.parents(id));
}

/** Mounts a snapshot to be written to, as a launcher would. */
export function writable<T>(
  { snapshots, root }: Workshop,
  id: SnapshotId,
  action: (path: string) => T,
): T {
  const target = join(root, `writable-${id}`);
  mkdirSync(target, { recursive: true });
  using _mount = mountPrivately(snapshots.mounts(id, "rw"), target, "rw");
  return action(target);
}

/** Contents by path; a directory ends with a slash. */
export function readAll(root: string): Readonly<Record<string, string>> {
  const found = readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path);
    return entry.isDirectory() ? [`${name}/`, ""] : [name, readFileSync(path, "utf8")];
  });
  return Object.fromEntries(found) as Record<string, string>;
}
