import { closeSync } from "node:fs";
import type { MountSpec } from "./mount-spec.ts";
import { newMount } from "./new-mount.ts";
import { mountPrivately } from "./private-mounts.ts";

/** Longest string that fsconfig(2) takes, its NUL included. */
const MAX_STRING = 256;

/**
 * A mounted tree that only this process can reach, by `path`, until it is disposed. `path`
 * itself is a symlink: its root is `path` with "/." behind it.
 */
export interface OpenMount extends Disposable {
  readonly path: string;
}

/**
 * Mounts a tree nowhere: it belongs to no mount namespace, so nobody sees it, no child
 * process keeps a copy of it, and it vanishes with this process, however it ends.
 *
 * @param directory where to mount it in a namespace of this thread's own, should the kernel
 *                  be too old for this mount's options
 */
export function openMount(
  specs: readonly MountSpec[],
  mode: "ro" | "rw",
  directory: () => string,
): OpenMount {
  const [spec] = specs;
  const fits = spec?.options.every((option) => option.length < MAX_STRING) === true;
  if (spec === undefined || specs.length > 1 || !fits) {
    const path = directory();
    const mount = mountPrivately(specs, path, mode);
    return { path, [Symbol.dispose]: () => mount[Symbol.dispose]() };
  }
  const fd = newMount(spec, mode);
  let open = true;
  return {
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
