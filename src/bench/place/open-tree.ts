import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotId } from "../../../drivers/driver.ts";
import { type OpenMount, openMount } from "../../sys/detached-mount.ts";
import type { Place } from "./place.ts";

/** Mounts the tree of a snapshot for this process alone. */
export function openTree(
  { driver, views }: Place,
  id: SnapshotId,
  parents: readonly SnapshotId[],
  mode: "rw" | "ro",
): OpenMount {
  driver.attach?.(id, parents);
  return openMount(driver.mounts(id, parents, mode), mode, () => {
    const directory = join(views, id);
    mkdirSync(directory, { recursive: true });
    return directory;
  });
}
