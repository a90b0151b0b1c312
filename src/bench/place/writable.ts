import type { SnapshotId } from "../../../drivers/driver.ts";
import { openTree } from "./open-tree.ts";
import type { Place } from "./place.ts";

/** What a container has: a writable snapshot, mounted. */
export interface Writable extends Disposable {
  readonly id: SnapshotId;
  /** Its root directory. */
  readonly root: string;
}

/** Makes a writable snapshot on top of sealed ones and mounts it; disposing removes it. */
export function openWritable(place: Place, parents: readonly SnapshotId[]): Writable {
  const id = place.nextId();
  const remove = () => place.driver.destroy([id]);
  try {
    place.driver.create(id, parents);
    const tree = openTree(place, id, parents, "rw");
    return {
      id,
      root: `${tree.path}/.`,
      [Symbol.dispose]() {
        tree[Symbol.dispose]();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
