import { accessSync, constants } from "node:fs";
import { dirname, join } from "node:path";
import type { CgroupLayout } from "./detect.ts";

/**
 * What of the cgroups an ordinary user may use: version 1 hierarchies whose root is the
 * user's, and of version 2 the highest group above the user's own that was handed over. From
 * there on it is as if that group were the root.
 *
 * @param own content of /proc/self/cgroup
 * @param may whether a directory can be written to
 * @see Documentation/admin-guide/cgroup-v2.rst, "Delegation"
 */
export function delegatedLayout(
  layout: CgroupLayout,
  own: string,
  may: (directory: string) => boolean = isWritable,
): CgroupLayout {
  const v1 = new Map([...layout.v1].filter(([, mount]) => may(mount)));
  const path = /^0::(\/.*)$/m.exec(own)?.[1];
  const unified =
    layout.unified === undefined || path === undefined
      ? undefined
      : highestWritable(layout.unified, path, may);
  const kind = v1.size > 0 ? (unified ? "hybrid" : "v1") : unified ? "v2" : "none";
  return { kind, v1, ...(unified === undefined ? {} : { unified }) };
}

function highestWritable(
  mount: string,
  path: string,
  may: (directory: string) => boolean,
): string | undefined {
  let found: string | undefined;
  for (let group = path; ; group = dirname(group)) {
    const directory = join(mount, group);
    // Processes are moved through the file of the group that both places have in common.
    if (!may(directory) || !may(join(directory, "cgroup.procs"))) return found;
    found = directory;
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
