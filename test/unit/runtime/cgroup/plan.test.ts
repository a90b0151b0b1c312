import { describe, expect, test } from "vitest";
import type { Resources } from "../../../../src/oci/linux-resources.ts";
import { ioWeightOf } from "../../../../src/runtime/cgroup/block-io.ts";
import { ignoredWishes } from "../../../../src/runtime/cgroup/controllers.ts";
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

test("a container of another manager joins whatever can be limited later", () => {
  const groups = plan({ joinsAll: true }).removals.map((group) => group.split("/")[4] ?? "");
  for (const name of ["memory", "devices", "freezer", "pids", "cpuset"])
    expect(groups.join(" ")).toContain(name);
  expect(plan({}).removals.length).toBeLessThan(groups.length);
});

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

describe("limits of the rarer kinds", () => {
  const both = { major: 8, minor: 0 };
  const rare: Resources = {
    memory: { reservation: 4096, swap: -1 },
    cpu: { quota: -1, burst: 5000, idle: 0 },
    blockIO: {
      weight: 500,
      throttleReadBpsDevice: [{ ...both, rate: 1000 }],
      throttleWriteIOPSDevice: [{ ...both, rate: 7 }],
    },
    hugepageLimits: [{ pageSize: "2MB", limit: 2 ** 21 }],
    rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 9 } },
  };
  const controllers = ["blkio", "hugetlb", "rdma", "net_cls", "net_prio"];
  const mounts = controllers.map((name) => mount(`/sys/fs/cgroup/${name}`, "cgroup", name));
  const layout = detectCgroups([...V1_MOUNTS, ...mounts].join("\n"));
  const v2 = { layout: V2, v2Controllers: "cpuset cpu io memory pids hugetlb rdma" };

  test("have their files on version 1", () => {
    const network = { classID: 7, priorities: [{ name: "eth0", priority: 5 }] };
    const lines = written({ layout, resources: { ...rare, network } });
    expect(lines.map((line) => line.replace("tsimg/c1/", ""))).toEqual([
      "memory/memory.memsw.limit_in_bytes -1",
      "memory/memory.soft_limit_in_bytes 4096",
      "cpu,cpuacct/cpu.cfs_period_us 100000",
      "cpu,cpuacct/cpu.cfs_quota_us -1",
      "cpu,cpuacct/cpu.cfs_burst_us 5000",
      "cpu,cpuacct/cpu.idle 0",
      "blkio/blkio.bfq.weight 500",
      "blkio/blkio.throttle.read_bps_device 8:0 1000",
      "blkio/blkio.throttle.write_iops_device 8:0 7",
      "hugetlb/hugetlb.2MB.limit_in_bytes 2097152",
      "hugetlb/hugetlb.2MB.rsvd.limit_in_bytes 2097152",
      "net_cls/net_cls.classid 7",
      "net_prio/net_prio.ifpriomap eth0 5",
      "rdma/rdma.max mlx5_1 hca_handle=3 hca_object=9",
    ]);
  });

  test("have their files on version 2, raw ones last", () => {
    const resources = { ...rare, unified: { "memory.high": "1000", "cgroup.max.depth": "3" } };
    const lines = written({ ...v2, resources }).filter((line) => !line.includes("subtree"));
    expect(lines.map((line) => line.replace("tsimg/c1/", ""))).toEqual([
      "memory.swap.max max",
      "memory.low 4096",
      "cpu.idle 0",
      "cpu.max max 100000",
      "cpu.max.burst 5000",
      "io.bfq.weight default 500",
      "io.max 8:0 rbps=1000",
      "io.max 8:0 wiops=7",
      "hugetlb.2MB.max 2097152",
      "hugetlb.2MB.rsvd.max 2097152",
      "rdma.max mlx5_1 hca_handle=3 hca_object=9",
      "memory.high 1000",
      "cgroup.max.depth 3",
    ]);
    const weight = plan({ ...v2, resources }).writes.find(({ file }) => file.includes("bfq"));
    expect(weight?.instead).toEqual({
      file: "/sys/fs/cgroup/tsimg/c1/io.weight",
      value: `default ${ioWeightOf(500)}`,
    });
    expect([10, 1000].map(ioWeightOf)).toEqual([1, 10_000]);
  });

  test("swap on version 2 is what is over the limit of memory", () => {
    const swap = (memory: Resources["memory"] & object) =>
      written({ ...v2, resources: { memory } }).filter((line) => line.includes("swap.max"));
    expect(swap({ limit: 100, swap: 100 })).toEqual(["tsimg/c1/memory.swap.max 0"]);
    expect(swap({ limit: 100, swap: -1 })).toEqual(["tsimg/c1/memory.swap.max max"]);
    expect(() => swap({ swap: 100 })).toThrow(/memory and swap/);
  });

  test("no name of a file leads out of the group", () => {
    for (const name of ["../memory.max", "a/b", "..", "", "memory..max", "memory.max\n"]) {
      const resources = { unified: { [name]: "1" } };
      expect(() => plan({ ...v2, resources }), name).toThrow(/cgroup/);
    }
    expect(() => plan({ resources: { unified: { "memory.high": "1" } } })).toThrow(/"memory"/);
    expect(() =>
      plan({ ...v2, resources: { hugepageLimits: [{ pageSize: "../2MB", limit: 1 }] } }),
    ).toThrow(/huge page size/);
  });

  test("what version 2 has not is told or refused", () => {
    const memory = { swappiness: 10, disableOOMKiller: true };
    expect(ignoredWishes({ memory }, V2)).toHaveLength(2);
    expect(ignoredWishes({ memory }, V1)).toEqual([]);
    expect(() => plan({ ...v2, resources: { cpu: { realtimeRuntime: 5 } } })).toThrow(/real-time/);
    expect(() => plan({ ...v2, resources: { network: { classID: 1 } } })).toThrow(/"net_cls"/);
  });
});

describe("a group below parents of the user's", () => {
  test("has them made and filled with CPUs, down from the one that has some", () => {
    const resources = { cpu: { cpus: "1" } };
    const cpuset = { cpus: "0-3", mems: "0", group: "/a" };
    const request = { path: "/a/b/c1", resources, cpuset };
    expect(plan(request).directories.slice(0, 3)).toEqual([
      "/sys/fs/cgroup/memory/a",
      "/sys/fs/cgroup/memory/a/b",
      "/sys/fs/cgroup/memory/a/b/c1",
    ]);
    expect(written(request)).toEqual([
      "cpuset/a/b/cpuset.cpus 0-3",
      "cpuset/a/b/cpuset.mems 0",
      "cpuset/a/b/c1/cpuset.cpus 1",
      "cpuset/a/b/c1/cpuset.mems 0",
    ]);
  });

  test("gets more memory in an order in which no limit is above the other", () => {
    const request = { resources: { memory: { limit: 5, swap: 9 } } };
    const files = (raisesMemory: boolean) =>
      written({ ...request, raisesMemory }).map((line) => line.split("/").at(-1));
    const [alone, swap] = ["memory.limit_in_bytes 5", "memory.memsw.limit_in_bytes 9"];
    expect([files(false), files(true)]).toEqual([
      [alone, swap],
      [swap, alone],
    ]);
  });
});

test("devices are a program where version 1 doesn't have them, and only if some are denied", () => {
  const directory = "/sys/fs/cgroup/tsimg/c1";
  const rules = deviceRules(false);
  expect(plan({ layout: V2 }).deviceProgram).toEqual({ directory, rules });
  expect(plan({ layout: HYBRID }).deviceProgram).toBeUndefined();
  expect(plan({ layout: V2, resources: { devices: deviceRules(true) } }).deviceProgram).toBe(
    undefined,
  );
  const without = new Map([...HYBRID.v1].filter(([name]) => name !== "devices"));
  const hybrid = plan({ layout: { ...HYBRID, v1: without } });
  expect(hybrid.deviceProgram?.directory).toBe("/sys/fs/cgroup/unified/tsimg/c1");
});

test('to version 1 a rule about all kinds is two, since its "a" is everything', () => {
  const devices = [{ allow: false }, { allow: true, type: "a" as const, major: 5, access: "r" }];
  expect(written({ resources: { devices } })).toEqual([
    "devices/tsimg/c1/devices.deny a",
    "devices/tsimg/c1/devices.allow b 5:* r",
    "devices/tsimg/c1/devices.allow c 5:* r",
  ]);
});

test("a limit without its controller is refused, no limit is no reason to", () => {
  const layout = detectCgroups("");
  expect(plan({ layout })).toEqual({ directories: [], writes: [], procsFiles: [], removals: [] });
  expect(() => plan({ layout, resources: { pids: { limit: 5 } } })).toThrow(/"pids"/);
  expect(() => plan({ layout: V2, resources: everything })).toThrow(/"memory"/);
});
