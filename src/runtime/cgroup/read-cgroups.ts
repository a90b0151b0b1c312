import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CgroupLayout } from "./detect.ts";
import type { CgroupRequest } from "./plan.ts";
import type { CpusetFacts } from "./settings-v1.ts";

/**
 * Reads what a plan of cgroups needs to know of this machine.
 *
 * @param path        of the container's group below the mounts
 * @param choosesCpus whether CPUs or memory nodes are chosen
 */
export function readCgroups(
  layout: CgroupLayout,
  path: string,
  choosesCpus: boolean,
): Pick<CgroupRequest, "layout" | "v2Controllers" | "cpuset"> {
  const { unified } = layout;
  const v2Controllers = unified === undefined ? "" : read(join(unified, "cgroup.controllers"));
  const mount = layout.v1.get("cpuset");
  const cpuset = choosesCpus && mount !== undefined ? readCpuset(mount, path) : undefined;
  return { layout, v2Controllers, ...(cpuset === undefined ? {} : { cpuset }) };
}

/** The nearest group above `path` that has CPUs: those further down have just been made. */
function readCpuset(mount: string, path: string): CpusetFacts | undefined {
  for (let group = dirname(path); ; group = dirname(group)) {
    const cpus = read(join(mount, group, "cpuset.cpus"));
    const mems = read(join(mount, group, "cpuset.mems"));
    if (cpus.trim() !== "" && mems.trim() !== "") return { cpus, mems, group };
    if (group === "/") return undefined;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
