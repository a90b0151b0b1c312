import { describe, expect, test } from "vitest";
import type { Resources } from "../../../src/oci/linux-resources.ts";
import { parseRestartPolicy } from "../../../src/runtime/container/restart-policy.ts";
import { parseDeviceRule } from "../../../src/runtime/devices.ts";
import type { LimitFlags } from "../../../src/runtime/limit-flags.ts";
import {
  cgroupPathOf,
  changedLimits,
  limitsOf,
  limitWarnings,
} from "../../../src/runtime/limits.ts";

const MIB = 1024 * 1024;
const DISKS = new Map([
  ["/dev/sda", { major: 8, minor: 0 }],
  ["/dev/by-path/a:b", { major: 8, minor: 16 }],
]);

/** Without the devices, which always have rules. */
function limits(flags: LimitFlags): Resources {
  const { devices: _, ...rest } = limitsOf({ ...flags, privileged: false }, DISKS);
  return rest;
}

describe("limits of memory", () => {
  test("swap follows memory as docker has it", () => {
    const memory = (flags: LimitFlags) => limits(flags).memory;
    expect(memory({ memory: "64m" })).toEqual({ limit: 64 * MIB, swap: 128 * MIB });
    expect(memory({ memory: "64m", memorySwap: "0" })).toEqual({
      limit: 64 * MIB,
      swap: 128 * MIB,
    });
    expect(memory({ memory: "64m", memorySwap: "-1" })).toEqual({ limit: 64 * MIB, swap: -1 });
    expect(memory({ memory: "64m", memorySwap: "64m" })).toEqual({
      limit: 64 * MIB,
      swap: 64 * MIB,
    });
    expect(memory({ memory: "0" })).toBeUndefined();
    expect(memory({ memorySwap: "-1" })).toEqual({ swap: -1 });
  });

  test("what can't be is refused with the flag's name", () => {
    const refused = (flags: LimitFlags) => () => limits(flags);
    expect(refused({ memorySwap: "64m" })).toThrow(/--memory-swap needs --memory/);
    expect(refused({ memory: "64m", memorySwap: "32m" })).toThrow(/is less than --memory/);
    expect(refused({ memory: "64m", memoryReservation: "65m" })).toThrow(/--memory-reservation/);
    expect(refused({ memoryReservation: "1m" })).toThrow(/--memory-reservation 1m is less than/);
    expect(refused({ memorySwappiness: "101" })).toThrow(/--memory-swappiness/);
    expect(refused({ memory: "64m", memorySwap: "-2" })).toThrow(/invalid size "-2"/);
  });

  test("swappiness and the OOM killer are kept; -1 is the machine's own swappiness", () => {
    expect(limits({ memorySwappiness: "0", oomKillDisable: true }).memory).toEqual({
      swappiness: 0,
      disableOOMKiller: true,
    });
    expect(limits({ memorySwappiness: "-1" }).memory).toBeUndefined();
  });
});

describe("limits of CPU time", () => {
  test("--cpus is short for a quota, and conflicts with one", () => {
    expect(limits({ cpus: "1.5" }).cpu).toEqual({ quota: 150_000, period: 100_000 });
    expect(limits({ cpuQuota: "20000", cpuPeriod: "50000" }).cpu).toEqual({
      quota: 20_000,
      period: 50_000,
    });
    expect(() => limits({ cpus: "1", cpuQuota: "20000" })).toThrow(/--cpus conflicts/);
  });

  test("0 and -1 stand for no limit, as with docker", () => {
    expect(limits({ cpuQuota: "-1", cpuPeriod: "0", cpuShares: "0" }).cpu).toBeUndefined();
    expect(limits({ cpus: "0" }).cpu).toBeUndefined();
    expect(limits({ cpuQuota: "0", pidsLimit: "0" })).toEqual({});
    expect(limits({ cpuShares: "1" }).cpu).toEqual({ shares: 2 });
  });

  test("numbers outside the kernel's bounds are refused", () => {
    expect(() => limits({ cpuPeriod: "999" })).toThrow(/--cpu-period/);
    expect(() => limits({ cpuPeriod: "1000001" })).toThrow(/--cpu-period/);
    expect(() => limits({ cpuQuota: "999" })).toThrow(/--cpu-quota/);
    expect(() => limits({ cpuRtRuntime: "2000", cpuRtPeriod: "1000" })).toThrow(/--cpu-rt-runtime/);
    expect(() => limits({ cpusetMems: "1-0" })).toThrow(/--cpuset-mems/);
  });
});

describe("limits of block devices", () => {
  test("name a device by its path, colons in it included", () => {
    expect(
      limits({
        blkioWeight: "300",
        deviceReadBps: ["/dev/sda:1mb"],
        deviceWriteBps: ["/dev/by-path/a:b:2k", "/dev/sda:5"],
        deviceWriteIops: ["/dev/sda:100"],
        blkioWeightDevice: ["/dev/sda:200"],
      }).blockIO,
    ).toEqual({
      weight: 300,
      weightDevice: [{ major: 8, minor: 0, weight: 200 }],
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: MIB }],
      throttleWriteBpsDevice: [
        { major: 8, minor: 16, rate: 2048 },
        { major: 8, minor: 0, rate: 5 },
      ],
      throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 100 }],
    });
  });

  test("refuse what is no device, no rate and no weight", () => {
    expect(() => limits({ deviceReadBps: ["sda:1mb"] })).toThrow(/--device-read-bps/);
    expect(() => limits({ deviceReadBps: ["/dev/sda"] })).toThrow(/--device-read-bps/);
    expect(() => limits({ deviceReadIops: ["/dev/sda:1mb"] })).toThrow(/--device-read-iops/);
    expect(() => limits({ deviceReadBps: ["/dev/none:1"] })).toThrow(/no device "\/dev\/none"/);
    expect(() => limits({ blkioWeight: "9" })).toThrow(/--blkio-weight/);
  });
});

test("a device rule allows what docker's does", () => {
  expect(parseDeviceRule("c 10:* rw")).toEqual({ allow: true, type: "c", major: 10, access: "rw" });
  expect(parseDeviceRule("a *:* rwm")).toEqual({ allow: true, type: "a", access: "rwm" });
  for (const bad of ["", "c 1:3", "x 1:3 r", "c 1 r", "c -1:3 r", "c 1:3 rx", "c 1:3 r\n"])
    expect(() => parseDeviceRule(bad), bad).toThrow(/--device-cgroup-rule/);
  const { devices = [] } = limitsOf({ privileged: false, deviceCgroupRule: ["b 7:* m"] });
  expect(devices.at(-1)).toEqual({ allow: true, type: "b", major: 7, access: "m" });
});

describe("limits of a container that exists", () => {
  const current: Resources = {
    devices: [{ allow: false }],
    memory: { limit: 64 * MIB, swap: 128 * MIB },
    cpu: { shares: 512, quota: 50_000, period: 100_000 },
    pids: { limit: 10 },
  };

  test("keep what no flag changes", () => {
    expect(changedLimits({}, current)).toEqual(current);
    expect(changedLimits({ cpuShares: "100", memory: "100m" }, current)).toEqual({
      ...current,
      memory: { limit: 100 * MIB, swap: 128 * MIB },
      cpu: { ...current.cpu, shares: 100 },
    });
  });

  test("can be lifted where there are some, and only there", () => {
    const none = { pidsLimit: "-1", cpuQuota: "-1" };
    const lifted = changedLimits(none, current);
    expect([lifted.pids, lifted.cpu?.quota]).toEqual([{ limit: -1 }, -1]);
    expect(changedLimits(none, { devices: [] })).toEqual({ devices: [] });
  });

  test("memory can't pass memory and swap unasked", () => {
    expect(() => changedLimits({ memory: "129m" }, current)).toThrow(/memory and swap/);
    const both = changedLimits({ memory: "129m", memorySwap: "-1" }, current);
    expect(both.memory).toEqual({ limit: 129 * MIB, swap: -1 });
  });
});

test("a cgroup's parent is a path below the mounts and nothing else", () => {
  expect(cgroupPathOf({}, "id")).toBe("/tsimg/id");
  expect(cgroupPathOf({ cgroupParent: "/a//b/" }, "id")).toBe("/a/b/id");
  expect(cgroupPathOf({ cgroupParent: "a.slice" }, "id")).toBe("/a.slice/id");
  for (const bad of ["..", "/a/../b", "a/./b", "/", "a\nb"])
    expect(() => cgroupPathOf({ cgroupParent: bad }, "id"), bad).toThrow(/--cgroup-parent/);
});

test("policies and warnings", () => {
  expect(parseRestartPolicy("on-failure:3")).toEqual({ name: "on-failure", most: 3 });
  expect(parseRestartPolicy("always")).toEqual({ name: "always", most: 0 });
  for (const bad of ["always:3", "on-failure:", ":3", "sometimes"])
    expect(() => parseRestartPolicy(bad), bad).toThrow(/restart policy/);
  expect(limitWarnings({ memory: "64m", oomKillDisable: true })).toEqual([]);
  expect(limitWarnings({ kernelMemory: "1m", oomKillDisable: true })).toHaveLength(2);
});
