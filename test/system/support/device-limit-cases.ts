import { execFileSync } from "node:child_process";
import { existsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unpackDevice } from "../../../src/runtime/device-numbers.ts";
import { LimitStage } from "./limit-stage.ts";
import { planned } from "./planned-group.ts";

const MEBIBYTE = 1024 * 1024;

/** What limits only root has: of devices, and whatever a plan can hold. */
export function deviceLimitCases(): void {
  let stage: LimitStage;
  beforeAll(async () => {
    stage = await LimitStage.open();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test("--device-write-bps holds, here on a loop device", async () => {
    const file = join(stage.shared, "disk");
    writeFileSync(file, "");
    truncateSync(file, 16 * MEBIBYTE);
    const disk = execFileSync("losetup", ["-f", "--show", file], { encoding: "utf8" }).trim();
    try {
      const { major, minor } = unpackDevice(statSync(disk).rdev);
      const rule = ["--device-cgroup-rule", `b ${major}:${minor} rwm`];
      const write = "dd if=/dev/zero of=/dev/disk bs=64k count=64 oflag=direct";
      const script = `busybox mknod /dev/disk b ${major} ${minor} && busybox time -f 'took %e' busybox ${write}`;
      const seconds = async (flags: readonly string[]) => {
        const said = await stage.shell([...rule, ...flags], script);
        expect(said).toContain("64+0 records out");
        return Number(/^took ([0-9.]+)$/m.exec(said)?.[1]);
      };
      const limited = await seconds(["--device-write-bps", `${disk}:1mb`]);
      expect(limited).toBeGreaterThan(3);
      expect(limited).toBeLessThan(8);
      expect(await seconds([])).toBeLessThan(2);
    } finally {
      execFileSync("losetup", ["-d", disk]);
    }
  });

  test("a device can be made and not opened, unless --device-cgroup-rule allows it", async () => {
    const open = (name: string, type: string, number: string) =>
      `busybox mknod /dev/${name} ${type} ${number}; (: </dev/${name}) && echo ${name} opens; `;
    const script = [open("control", "c", "10 237"), open("mem", "c", "1 1"), ": </dev/null"].join(
      "",
    );
    const denied = await stage.shell([], script);
    expect(denied.match(/Operation not permitted/g)).toHaveLength(2);
    expect(denied).not.toContain("opens");
    const rule = ["--device-cgroup-rule", "c 10:237 r"];
    const read = await stage.shell(rule, `${script}; : >/dev/control`);
    expect(read).toContain("control opens");
    expect(read.match(/Operation not permitted/g)).toHaveLength(2);
  });

  test("--blkio-weight is no obstacle where the kernel has no weights, but is told", async () => {
    const said = await stage.shell(["--blkio-weight", "300"], "echo started");
    expect(said).toMatch(/^started\n(tsimg: warning: weigh block I\/O with 300: .*\n)?$/);
  });

  test("the kernel takes what a plan writes for all kinds of limits", () => {
    const wish = {
      memory: { limit: 64 * MEBIBYTE, swap: 128 * MEBIBYTE, reservation: 32 * MEBIBYTE },
      cpu: { shares: 512, quota: 50_000, period: 100_000, burst: 20_000, cpus: "0", mems: "0" },
      pids: { limit: 100 },
      ...(hasHugePages() ? { hugepageLimits: [{ pageSize: "2MB", limit: 4 * MEBIBYTE }] } : {}),
    };
    using group = planned(wish);
    expect(group.text("memory", "memory.soft_limit_in_bytes", "memory.low")).toBe(
      String(32 * MEBIBYTE),
    );
    expect(group.text("cpu", "cpu.cfs_burst_us", "cpu.max.burst")).toBe("20000");
    expect(group.text("cpuset", "cpuset.mems", "cpuset.mems")).toBe("0");
    const huge = ["hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"] as const;
    if (hasHugePages()) expect(group.text("hugetlb", ...huge)).toBe(String(4 * MEBIBYTE));
    using idle = planned({ cpu: { idle: 1 } });
    expect(idle.text("cpu", "cpu.idle", "cpu.idle")).toBe("1");
  });
}

function hasHugePages(): boolean {
  return existsSync("/sys/kernel/mm/hugepages/hugepages-2048kB");
}
