import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Resources } from "../../../src/oci/linux-resources.ts";
import { detectCgroups } from "../../../src/runtime/cgroup/detect.ts";
import { planCgroup } from "../../../src/runtime/cgroup/plan.ts";
import { readCgroups } from "../../../src/runtime/cgroup/read-cgroups.ts";

export interface PlannedGroup extends Disposable {
  /** A file of the group: in that version 1 hierarchy, or else the version 2 tree. */
  text(hierarchy: string, v1: string, v2: string): string;
}

let made = 0;

/** Makes the groups of a plan as the launcher would, without a container in them. */
export function planned(resources: Resources): PlannedGroup {
  const layout = detectCgroups(readFileSync("/proc/self/mountinfo", "utf8"));
  made += 1;
  const path = `/tsimg/planned-${process.pid}-${made}`;
  const plan = planCgroup({ ...readCgroups(layout, path, true), path, resources });
  const dispose = () => {
    for (const group of plan.removals) if (existsSync(group)) rmdirSync(group);
  };
  try {
    for (const directory of plan.directories) mkdirSync(directory, { recursive: true });
    for (const write of plan.writes) {
      const { file, value } =
        write.instead === undefined || existsSync(write.file) ? write : write.instead;
      try {
        writeFileSync(file, value, { flag: "r+" });
      } catch (error) {
        if (!write.optional) throw error;
      }
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    text(hierarchy, v1, v2) {
      const old = plan.removals.find((group) => basename(dirname(dirname(group))) === hierarchy);
      const files = [old === undefined ? "" : join(old, v1)];
      files.push(...plan.removals.map((group) => join(group, v2)));
      const file = files.find((each) => existsSync(each)) ?? join(path, v2);
      return readFileSync(file, "latin1").trim();
    },
    [Symbol.dispose]: dispose,
  };
}
