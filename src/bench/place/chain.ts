import type { SnapshotId } from "../../../drivers/driver.ts";
import { openTree } from "./open-tree.ts";
import type { Place } from "./place.ts";

/** Sealed layers on a place, which go with it. */
export class Chain implements Disposable {
  /** Nearest first: what a driver takes as parents. */
  ids: readonly SnapshotId[] = [];
  private readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  /**
   * One more layer on top, in which `write` has done its work below a directory. Overlays get
   * it as unpacking writes it, into a directory that shows nothing of the layers below: one
   * written through a mount would lie otherwise on the disk than those of an image do.
   *
   * @param write only adds files, and makes the directories that they are in
   */
  add(write: (root: string) => void): void {
    const { driver } = this.place;
    const id = this.place.nextId();
    const parents = this.ids;
    try {
      if (driver.layers.form === "overlay") {
        driver.layers.begin(id, parents);
        write(driver.layers.dir(id));
      } else {
        driver.create(id, parents);
        using tree = openTree(this.place, id, parents, "rw");
        write(`${tree.path}/.`);
      }
      driver.seal(id, parents);
    } catch (error) {
      driver.destroy([id]);
      throw error;
    }
    this.ids = [id, ...parents];
  }

  [Symbol.dispose](): void {
    this.place.driver.destroy(this.ids);
    this.ids = [];
  }
}
