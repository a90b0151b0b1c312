import type { Resources } from "../../oci/linux-resources.ts";
import type { CgroupLayout } from "./detect.ts";

/** By their names in version 1. */
export type Controller =
  | "memory"
  | "devices"
  | "freezer"
  | "pids"
  | "cpu"
  | "cpuacct"
  | "cpuset"
  | "blkio"
  | "hugetlb"
  | "net_cls"
  | "net_prio"
  | "rdma";

/** What the version 2 tree calls a controller; freezing and devices need none there. */
export function nameInV2(controller: Controller): string {
  return controller === "blkio" ? "io" : controller;
}

/** Which controllers have something to set, in the order in which they are asked for. */
export function limitedControllers(resources: Resources): ReadonlySet<Controller> {
  const { memory, pids, blockIO, hugepageLimits, network, rdma } = resources;
  const { cpus, mems, ...time } = resources.cpu ?? {};
  const limited = new Set<Controller>();
  const add = (name: Controller, wanted: boolean) => wanted && limited.add(name);
  // Taken, and then not done: see ignoredWishes.
  const { kernel: _, useHierarchy: __, checkBeforeUpdate: ___, ...limits } = memory ?? {};
  add("memory", hasAny({ ...limits, limit: (limits.limit ?? -1) < 0 ? undefined : 1 }));
  add("pids", pids !== undefined);
  add("cpu", hasAny(time));
  add("cpuset", cpus !== undefined || mems !== undefined);
  add("blkio", hasAny(blockIO ?? {}));
  add("hugetlb", (hugepageLimits ?? []).length > 0);
  add("net_cls", network?.classID !== undefined);
  add("net_prio", (network?.priorities ?? []).length > 0);
  add("rdma", hasAny(rdma ?? {}));
  return limited;
}

/** Files of version 2 begin with their controller's name. */
export function unifiedControllers(resources: Resources): readonly string[] {
  const names = Object.keys(resources.unified ?? {}).map((file) => file.split(".")[0] ?? "");
  return [...new Set(names)].filter((name) => name !== "cgroup");
}

/** For the user to know: what a plan leaves out as this machine can't do it, as docker does. */
export function ignoredWishes(resources: Resources, { v1 }: CgroupLayout): readonly string[] {
  const { kernel, kernelTCP, swappiness, disableOOMKiller } = resources.memory ?? {};
  const needsV1 = [
    ...(swappiness === undefined ? [] : ["swappiness"]),
    ...(disableOOMKiller === true ? ["switching the OOM killer off"] : []),
    ...(kernelTCP === undefined ? [] : ["a limit of TCP buffers"]),
  ];
  return [
    ...(kernel === undefined ? [] : ["kernels have no limit of kernel memory any more"]),
    ...(v1.has("memory") ? [] : needsV1.map((what) => `cgroup version 2 has not ${what}`)),
  ];
}

function hasAny(wishes: object): boolean {
  return Object.values(wishes).some((value) => value !== undefined && value !== false);
}
