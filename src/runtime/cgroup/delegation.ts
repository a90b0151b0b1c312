import { accessSync, constants } from "node:fs";
import { dirname, join } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import type { CgroupLayout } from "./detect.ts";

/**
 * What of the cgroups an ordinary user may use: version 1 hierarchies whose root is the
 * user's, and of version 2 the highest group above the user's own that was handed over. From
 * there on it is as if that group were the root.
 *
 * @param own content of /proc/self/cgroup
 * @param may whether a file or a directory can be written to
 * @see Documentation/admin-guide/cgroup-v2.rst, "Delegation"
 */
export function delegatedLayout(
  layout: CgroupLayout,
  own: string,
  may: (path: string) => boolean = isWritable,
): CgroupLayout {
  const v1 = new Map([...layout.v1].filter(([, mount]) => may(mount)));
  const path = /^0::(\/.*)$/m.exec(own)?.[1];
  const unified =
    layout.unified === undefined || path === undefined
      ? undefined
      : highestWritable(layout.unified, path, may);
  return { ...layoutOf(v1, unified), delegated: true };
}

/**
 * The layout in which a container's groups were made, wherever in the tree the caller is now.
 *
 * @param groups directories of the container's groups
 * @param path   of them below each mount
 */
export function layoutOfGroups(
  layout: CgroupLayout,
  groups: readonly string[],
  path: string,
): CgroupLayout {
  const { unified: whole, v1 } = layout;
  const own = groups.filter((group) => group.endsWith(path));
  const roots = own.map((group) => group.slice(0, -path.length));
  const mounts = new Set(v1.values());
  const unified = roots.find((root) => !mounts.has(root) && root.startsWith(`${whole}/`));
  if (whole === undefined || unified === undefined) return layout;
  const joined = new Map([...v1].filter(([, mount]) => roots.includes(mount)));
  return { ...layoutOf(joined, unified), delegated: true };
}

/**
 * Why an ordinary user can't have a limit.
 *
 * @param controller that the limit needs
 * @param unified    the group that was handed over, when there is one
 */
export function notDelegated(controller: string, unified: string | undefined): TsimgError {
  const name = controller === "blkio" ? "io" : controller;
  return unified === undefined
    ? new TsimgError(
        "ERR_KERNEL",
        `no cgroup was handed over to you: a limit of "${name}" needs one`,
        {
          hint: 'under systemd, run it by "systemd-run --user --scope -p Delegate=yes"; else have root give you a group of version 2 with your shell in it: docs/limits.md',
        },
      )
    : new TsimgError("ERR_KERNEL", `"${unified}" has no controller "${name}" for you`, {
        hint: `have root write "+${name}" into cgroup.subtree_control of the groups above it; under systemd, Delegate=yes of user@.service does that`,
      });
}

/** Why something can't be done with a container that was started without any cgroup. */
export function withoutGroups(what: string): TsimgError {
  return new TsimgError("ERR_KERNEL", `a container without a cgroup can't be ${what}`, {
    hint: "it was started by an ordinary user to whom no cgroup was handed over: docs/limits.md",
  });
}

function layoutOf(v1: CgroupLayout["v1"], unified: string | undefined): CgroupLayout {
  const kind = v1.size > 0 ? (unified ? "hybrid" : "v1") : unified ? "v2" : "none";
  return { kind, v1, ...(unified === undefined ? {} : { unified }) };
}

/**
 * Processes are moved through the file of the group that both places have in common. That is
 * the one found: whose the groups between it and the process are doesn't matter.
 */
function highestWritable(
  mount: string,
  path: string,
  may: (path: string) => boolean,
): string | undefined {
  let found: string | undefined;
  for (let group = path; ; group = dirname(group)) {
    const directory = join(mount, group);
    if (may(directory) && may(join(directory, "cgroup.procs"))) found = directory;
    if (group === "/") return found;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
