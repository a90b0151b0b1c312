import type { Spec } from "../../oci/runtime-spec.ts";
import { changeAttributes } from "./attributes.ts";
import { attach, cloneTree } from "./mounts.ts";
import { mountFileSystem } from "./rootfs.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { flags } from "./tape.ts";
import { findOr, relativeToRoot } from "./target.ts";

/**
 * Hides the spec's masked paths: a directory behind an empty read-only tmpfs, a file behind
 * /dev/null. A path that isn't there needs no mask.
 *
 * Each directory gets a tmpfs of its own: before Linux 6.15 a mount that is attached nowhere
 * can't be cloned.
 */
export function maskPaths(steps: Steps, root: Register, spec: Spec): void {
  const paths = spec.linux.maskedPaths ?? [];
  if (paths.length === 0) return;
  steps.scope(() => {
    const nothing = nullDevice(steps, root, spec);
    for (const path of paths) steps.scope(() => maskPath(steps, root, path, nothing));
  });
}

function maskPath(steps: Steps, root: Register, path: string, nothing: Register): void {
  const why = `masking "${path}"`;
  const target = steps.register();
  findOr(
    steps,
    root,
    path,
    target,
    {
      ok: () => {
        const empty = steps.register();
        const attributes = ["MOUNT_ATTR_RDONLY"] as const;
        mountFileSystem(steps, "tmpfs", "tmpfs", ["size=0k"], { attributes, why, into: empty });
        attach(steps, empty, target, why);
      },
      otherwise: () =>
        findOr(steps, root, path, target, {
          ok: () => attach(steps, cloneTree(steps, nothing, why, "mount"), target, why),
        }),
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
  const how = flags("OPEN_TREE_CLOEXEC", "AT_SYMLINK_NOFOLLOW");
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
