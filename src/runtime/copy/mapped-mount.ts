import { mkdirSync } from "node:fs";
import { bindMapped } from "../../sys/map-owners.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import { performMounts } from "../../sys/perform-mounts.ts";
import { mountPrivately } from "../../sys/private-mounts.ts";

/** A small file system of our own, whose directories need no clearing up. */
const SCRATCH: MountSpec = { type: "tmpfs", source: "tsimg", options: ["size=1m"], api: "mount" };
const LOWER = "lowerdir+=";

export interface MappedMount extends Disposable {
  /** Where the tree is. */
  readonly path: string;
}

/**
 * Mounts a container's tree as its user namespace sees it, in a mount namespace of this
 * thread's own: the same way as the launcher, so that both leave the same owners on the disk.
 *
 * @param place a directory, to mount over
 * @see src/runtime/tape/mapped-root.ts
 */
export function mountMapped(
  specs: readonly MountSpec[],
  place: string,
  mode: "ro" | "rw",
  userNamespace: number,
): MappedMount {
  const scratch = mountPrivately([SCRATCH], place, "rw");
  const path = `${place}/root`;
  mkdirSync(path);
  const mounted = { path, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
  const [spec] = specs;
  if (spec?.type === "overlay" && spec.api === "fsconfig") {
    performMounts([withMappedLayers(spec, place, userNamespace)], path, mode);
    return mounted;
  }
  performMounts(specs, path, mode);
  bindMapped(path, path, userNamespace);
  return mounted;
}

/** Of an overlay the upper layer has the host's owners, the others the image's. */
function withMappedLayers(spec: MountSpec, place: string, userNamespace: number): MountSpec {
  const before = process.cwd();
  // Layers are named from there.
  if (spec.directory !== undefined) process.chdir(spec.directory);
  try {
    const options = spec.options.map((option, index) => {
      if (!option.startsWith(LOWER)) return option;
      const target = `${place}/${index}`;
      mkdirSync(target);
      bindMapped(option.slice(LOWER.length), target, userNamespace);
      return `${LOWER}${target}`;
    });
    return { ...spec, options };
  } finally {
    if (spec.directory !== undefined) process.chdir(before);
  }
}
