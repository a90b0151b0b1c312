import type { Spec } from "../../oci/runtime-spec.ts";
import { changeAttributes } from "./attributes.ts";
import { attach, cloneTree } from "./mounts.ts";
import { mountFileSystem } from "./rootfs.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { flags } from "./tape.ts";
import { findOr, relativeToRoot } from "./target.ts";

/**
 * Hides the spec's masked paths: a directory behind one empty read-only tmpfs that all of
 * them share, a file behind /dev/null. A path that isn't there needs no mask.
 */
export function maskPaths(steps: Steps, root: Register, spec: Spec): void {
  const paths = spec.linux.maskedPaths ?? [];
  if (paths.length === 0) return;
  steps.scope(() => {
    const nothing = nullDevice(steps, root, spec);
    const empty = steps.register();
    mountFileSystem(steps, "tmpfs", "tmpfs", ["size=0k"], {
      attributes: ["MOUNT_ATTR_RDONLY"],
      why: "making an empty directory for masks",
      into: empty,
    });
    for (const path of paths) steps.scope(() => maskPath(steps, root, path, empty, nothing));
  });
}

function maskPath(
  steps: Steps,
  root: Register,
  path: string,
  empty: Register,
  nothing: Register,
): void {
  const why = `masking "${path}"`;
  const target = steps.register();
  const cover = (source: Register) => () =>
    attach(steps, cloneTree(steps, source, why, "mount"), target, why);
  findOr(
    steps,
    root,
    path,
    target,
    {
      ok: cover(empty),
      otherwise: () => findOr(steps, root, path, target, { ok: cover(nothing) }),
    },
    "directory",
  );
}

/**
 * The null device, not some file of that name: the node that this tape has just made in a
 * /dev of its own, else the host's.
 */
function nullDevice(steps: Steps, root: Register, spec: Spec): Register {
  const why = "finding the null device for masks";
  const at = (path: string) =>
    spec.mounts.find((mount) => relativeToRoot(mount.destination) === path);
  const own = at("dev")?.type === "tmpfs" && at("dev/null") === undefined;
  const how = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC", "AT_SYMLINK_NOFOLLOW");
  if (!own) return steps.keep("open_tree", [flags("AT_FDCWD"), "/dev/null", how], why);
  const found = steps.register();
  findOr(steps, root, "/dev", found, {}, "directory");
  return steps.keep("open_tree", [found, "null", how], why, { into: found });
}

/** Makes the spec's read-only paths read-only, with all that is mounted below them. */
export function protectPaths(steps: Steps, root: Register, spec: Spec): void {
  for (const path of spec.linux.readonlyPaths ?? []) {
    const why = `making "${path}" read-only`;
    steps.scope(() => {
      const target = steps.register();
      findOr(steps, root, path, target, {
        ok: () => {
          const copy = cloneTree(steps, target, why, "tree");
          changeAttributes(steps, copy, { set: ["MOUNT_ATTR_RDONLY"] }, why, "tree");
          attach(steps, copy, target, why);
        },
      });
    });
  }
}
