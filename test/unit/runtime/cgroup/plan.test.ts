import { describe, expect, test } from "vitest";
import type { Resources } from "../../../../src/oci/linux-resources.ts";
import { detectCgroups } from "../../../../src/runtime/cgroup/detect.ts";
import { type CgroupRequest, planCgroup } from "../../../../src/runtime/cgroup/plan.ts";
import { weightOfShares } from "../../../../src/runtime/cgroup/settings-v2.ts";
import { deviceRules } from "../../../../src/runtime/devices.ts";

const mount = (point: string, type: string, options: string) =>
  `36 31 0:34 / ${point} rw,relatime shared:9 - ${type} ${type} rw,${options}`;
const V1_MOUNTS = [
  "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
  mount("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "cpu,cpuacct"),
  mount("/sys/fs/cgroup/cpuset", "cgroup", "cpuset"),
  mount("/sys/fs/cgroup/memory", "cgroup", "memory"),
  mount("/sys/fs/cgroup/devices", "cgroup", "devices"),
  mount("/sys/fs/cgroup/freezer", "cgroup", "freezer"),
  mount("/sys/fs/cgroup/pids", "cgroup", "pids"),
  mount("/sys/fs/cgroup/systemd", "cgroup", "xattr,name=systemd"),
];
const V1 = detectCgroups(V1_MOUNTS.join("\n"));
const HYBRID = detectCgroups(
  [...V1_MOUNTS, mount("/sys/fs/cgroup/unified", "cgroup2", "nsdelegate")].join("\n"),
);
const V2 = detectCgroups(mount("/sys/fs/cgroup", "cgroup2", "nsdelegate"));

const everything: Resources = {
  devices: deviceRules(false),
  memory: { limit: 2 ** 29, swap: 2 ** 30 },
  cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: "0-1" },
  pids: { limit: 100 },
};
const plan = (request: Partial<CgroupRequest>) =>
  planCgroup({
    layout: V1,
    path: "/tsimg/c1",
    resources: { devices: deviceRules(false) },
    v2Controllers: "",
    cpuset: { cpus: "0-7\n", mems: "0\n" },
    ...request,
  });
const written = (request: Partial<CgroupRequest>) =>
  plan(request).writes.map(({ file, value }) => `${file.replace("/sys/fs/cgroup/", "")} ${value}`);

describe("where controllers are", () => {
  test("is read from the mounts, hybrid machines included", () => {
    expect([V1.kind, HYBRID.kind, V2.kind]).toEqual(["v1", "hybrid", "v2"]);
    expect(V1.v1.get("cpuacct")).toBe("/sys/fs/cgroup/cpu,cpuacct");
    expect([...V1.v1.keys()]).not.toContain("name=systemd");
    expect(HYBRID.unified).toBe("/sys/fs/cgroup/unified");
    expect(detectCgroups("").kind).toBe("none");
  });

  test("survives blanks in paths, second mounts and nonsense", () => {
    const layout = detectCgroups(
      [
        "garbage",
        " - cgroup cgroup rw,memory",
        mount("/cg\\040mem", "cgroup", "memory"),
        mount("/other", "cgroup", "memory"),
      ].join("\n"),
    );
    expect(layout.v1.get("memory")).toBe("/cg mem");
  });
});

describe("a plan on version 1", () => {
  test("joins few hierarchies when nothing is limited", () => {
    const { directories, procsFiles, removals, oomFile } = plan({});
    const groups = ["memory", "devices", "freezer"].map((name) => `/sys/fs/cgroup/${name}/tsimg`);
    expect(directories).toEqual(groups.flatMap((group) => [group, `${group}/c1`]));
    expect(procsFiles).toEqual(groups.map((group) => `${group}/c1/cgroup.procs`));
    expect(removals).toEqual(groups.map((group) => `${group}/c1`));
    expect(oomFile).toBe("/sys/fs/cgroup/memory/tsimg/c1/memory.oom_control");
  });

  test("denies all devices first, then allows the harmless ones", () => {
    const rules = written({});
    expect(rules[0]).toBe("devices/tsimg/c1/devices.deny a");
    expect(rules).toContain("devices/tsimg/c1/devices.allow c *:* m");
    expect(rules).toContain("devices/tsimg/c1/devices.allow c 136:* rwm");
    expect(rules.slice(1).every((rule) => rule.includes("devices.allow"))).toBe(true);
    expect(written({ resources: { devices: deviceRules(true) } })).toEqual([]);
  });

  test("writes each limit, the memory limit before the one with swap", () => {
    expect(written({ resources: { ...everything, devices: [] } })).toEqual([
      "memory/tsimg/c1/memory.limit_in_bytes 536870912",
      "memory/tsimg/c1/memory.memsw.limit_in_bytes 1073741824",
      "pids/tsimg/c1/pids.max 100",
      "cpu,cpuacct/tsimg/c1/cpu.shares 512",
      "cpu,cpuacct/tsimg/c1/cpu.cfs_period_us 100000",
      "cpu,cpuacct/tsimg/c1/cpu.cfs_quota_us 50000",
      "cpuset/tsimg/cpuset.cpus 0-7",
      "cpuset/tsimg/cpuset.mems 0",
      "cpuset/tsimg/c1/cpuset.cpus 0-1",
      "cpuset/tsimg/c1/cpuset.mems 0",
    ]);
  });
});

describe("a plan on version 2", () => {
  const v2 = { layout: V2, v2Controllers: "cpuset cpu io memory pids\n", resources: everything };

  test("passes controllers on from the root down, then writes the limits", () => {
    const writes = written(v2);
    expect(writes.slice(0, 8)).toEqual([
      "cgroup.subtree_control +memory",
      "cgroup.subtree_control +pids",
      "cgroup.subtree_control +cpu",
      "cgroup.subtree_control +cpuset",
      "tsimg/cgroup.subtree_control +memory",
      "tsimg/cgroup.subtree_control +pids",
      "tsimg/cgroup.subtree_control +cpu",
      "tsimg/cgroup.subtree_control +cpuset",
    ]);
    expect(writes.slice(8)).toEqual([
      "tsimg/c1/memory.max 536870912",
      "tsimg/c1/memory.swap.max 536870912",
      "tsimg/c1/pids.max 100",
      `tsimg/c1/cpu.weight ${weightOfShares(512)}`,
      "tsimg/c1/cpu.max 50000 100000",
      "tsimg/c1/cpuset.cpus 0-1",
    ]);
    expect(plan(v2).procsFiles).toEqual(["/sys/fs/cgroup/tsimg/c1/cgroup.procs"]);
    expect(plan(v2).oomFile).toBe("/sys/fs/cgroup/tsimg/c1/memory.events");
  });

  test("finds each controller of a hybrid machine where it is", () => {
    const v1 = new Map([...HYBRID.v1].filter(([name]) => name !== "memory"));
    const layout = { ...HYBRID, v1 };
    const { directories, oomFile } = plan({ layout, v2Controllers: "memory" });
    expect(directories).toContain("/sys/fs/cgroup/unified/tsimg/c1");
    expect(oomFile).toBe("/sys/fs/cgroup/unified/tsimg/c1/memory.events");
    expect(plan({ layout: HYBRID }).directories.join()).not.toContain("unified");
  });

  test("turns shares into weights that keep both ends and the usual value", () => {
    expect([2, 1024, 262_144].map(weightOfShares)).toEqual([1, 100, 10_000]);
    let before = 0;
    for (let shares = 2; shares <= 262_144; shares *= 2) {
      expect(weightOfShares(shares)).toBeGreaterThanOrEqual(before);
      before = weightOfShares(shares);
    }
  });
});

test("a limit without its controller is refused, no limit is no reason to", () => {
  const layout = detectCgroups("");
  expect(plan({ layout })).toEqual({ directories: [], writes: [], procsFiles: [], removals: [] });
  expect(() => plan({ layout, resources: { pids: { limit: 5 } } })).toThrow(/"pids"/);
  expect(() => plan({ layout: V2, resources: everything })).toThrow(/"memory"/);
});
