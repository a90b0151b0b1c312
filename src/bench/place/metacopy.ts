import { existsSync } from "node:fs";
import type { StorageDriver } from "../../../drivers/driver.ts";
import type { Place } from "./place.ts";

/**
 * The same place with overlays that copy only a file's metadata up when only that changes.
 * Empty for drivers without overlays, and where the kernel can't.
 * @see Documentation/filesystems/overlayfs.rst, "Metadata only copy up"
 */
export function withMetacopy(place: Place): readonly Place[] {
  if (place.driver.layers.form !== "overlay") return [];
  if (!existsSync("/sys/module/overlay/parameters/metacopy")) return [];
  const { driver } = place;
  const changed: StorageDriver = Object.create(driver, {
    mounts: {
      value: (...args: Parameters<StorageDriver["mounts"]>) =>
        driver.mounts(...args).map((spec) => ({ ...spec, options: allowing(spec.options) })),
    },
  });
  const name = `${place.name}+metacopy`;
  return [{ ...place, name, driver: changed, notes: [...place.notes, "mounted with metacopy=on"] }];
}

/** The kernel refuses it together with redirect_dir=off. */
function allowing(options: readonly string[]): readonly string[] {
  const others = options.filter((option) => !/^(metacopy|redirect_dir)=/.test(option));
  return [...others, "redirect_dir=on", "metacopy=on"];
}
