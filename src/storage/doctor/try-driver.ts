import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotId, StorageDriver } from "../../../drivers/driver.ts";
import { openMount } from "../../sys/detached-mount.ts";
import { TsimgError } from "../../sys/error.ts";
import { randomHex } from "../../sys/random.ts";
import { emptyErofs } from "./empty-erofs.ts";

/**
 * Has a driver do what it is for, once: a layer, sealed, and a writable snapshot on it that
 * is mounted, read and written. Nothing of it stays.
 *
 * @param view an empty directory to mount on, should the kernel be too old for other ways
 * @throws whatever the driver or the mount throws when it can't
 */
export function tryDriver(driver: StorageDriver, view: string): void {
  const layer = randomHex(64) as SnapshotId;
  const top = randomHex(64) as SnapshotId;
  mkdirSync(view, { recursive: true });
  try {
    fill(driver, layer, view);
    driver.seal(layer, []);
    driver.create(top, [layer]);
    driver.attach?.(top, [layer]);
    using tree = openMount(driver.mounts(top, [layer], "rw"), "rw", () => view);
    writeFileSync(join(tree.path, "own"), "written");
    if (driver.layers.form === "image") return;
    const seen = readFileSync(join(tree.path, "probe"), "utf8");
    if (seen !== "layer")
      throw new TsimgError("ERR_DRIVER", "a snapshot does not show what its parent holds");
  } finally {
    driver.destroy([top, layer]);
  }
}

/** Makes a layer of one file, in the form that the driver takes. */
function fill(driver: StorageDriver, layer: SnapshotId, view: string): void {
  const { layers } = driver;
  if (layers.form === "tree") {
    driver.create(layer, []);
    driver.attach?.(layer, []);
    using tree = openMount(driver.mounts(layer, [], "rw"), "rw", () => view);
    writeFileSync(join(tree.path, "probe"), "layer");
    return;
  }
  layers.begin(layer, []);
  if (layers.form === "overlay") writeFileSync(join(layers.dir(layer), "probe"), "layer");
  else writeFileSync(join(layers.dir(layer), "layer.erofs"), emptyErofs());
}
