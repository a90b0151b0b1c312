import { describe, expect, test } from "vitest";
import { Command } from "../../../src/cli/command.ts";
import { securityOptions } from "../../../src/cli/run-flags/security.ts";
import { extraGroups } from "../../../src/runtime/extra-groups.ts";
import { defaultMounts } from "../../../src/runtime/mounts/default-mounts.ts";
import {
  parseOomScore,
  parseStopSignal,
  parseStopTimeout,
  parseUmask,
} from "../../../src/runtime/process-flags.ts";
import type { SecurityFlags } from "../../../src/runtime/security-flags.ts";
import { parseShmSize, withShmSize } from "../../../src/runtime/shared-memory.ts";
import { parseTimeOffsets } from "../../../src/runtime/time-offsets.ts";

const usage = (message: string) =>
  expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining(message) });

describe("what a process is given", () => {
  test("is read within the kernel's bounds", () => {
    expect([parseOomScore("-1000"), parseOomScore("1000")]).toEqual([-1000, 1000]);
    expect(() => parseOomScore("1001")).toThrow(usage("--oom-score-adj"));
    expect([parseUmask("0"), parseUmask("027"), parseUmask("0777")]).toEqual([0, 0o27, 0o777]);
    for (const text of ["8", "1777", "-1", "", "0x1f"]) {
      expect(() => parseUmask(text)).toThrow(usage("--umask"));
    }
    expect([parseStopTimeout("0"), parseStopTimeout("-1")]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(() => parseStopTimeout("-2")).toThrow(usage("--stop-timeout"));
    expect(["SIGQUIT", "rtmin+3", "9"].map(parseStopSignal)).toEqual(["SIGQUIT", "rtmin+3", "9"]);
    expect(() => parseStopSignal("NOPE")).toThrow(usage("invalid signal"));
  });

  test("shared memory has its size, and 64 MiB when nothing else is said", () => {
    expect([undefined, "0", "1g"].map(parseShmSize)).toEqual([1 << 26, 1 << 26, 1 << 30]);
    expect(() => parseShmSize("much")).toThrow(usage("--shm-size"));
    const mounts = withShmSize(defaultMounts(false), 4096);
    const shm = mounts.find(({ destination }) => destination === "/dev/shm");
    expect(shm?.options.filter((option) => option.startsWith("size="))).toEqual(["size=4096"]);
    expect(shm?.options).toContain("mode=1777");
    const others = (all: typeof mounts) => all.filter((mount) => mount.destination !== "/dev/shm");
    expect(others(mounts)).toEqual(others(defaultMounts(false)));
  });

  test("groups are found in the image by name, and need no entry by number", () => {
    const accounts = { group: Buffer.from("video:x:44:\naudio:x:63:root\n") };
    expect(extraGroups(["audio", "7", "video", "63"], accounts)).toEqual([63, 7, 44]);
    expect(() => extraGroups(["render"], accounts)).toThrow(
      /unknown group "render" in --group-add/,
    );
    expect(() => extraGroups(["4294967295"], {})).toThrow(/unknown group/);
  });
});

describe("offsets of clocks", () => {
  test("are ahead or behind, to the nanosecond", () => {
    expect(parseTimeOffsets("monotonic=86400,boottime=-3600")).toEqual({
      monotonic: { secs: 86400, nanosecs: 0 },
      boottime: { secs: -3600, nanosecs: 0 },
    });
    expect(parseTimeOffsets("boottime=-1.25")).toEqual({
      boottime: { secs: -2, nanosecs: 750_000_000 },
    });
    expect(parseTimeOffsets("monotonic=+0.000000001")).toEqual({
      monotonic: { secs: 0, nanosecs: 1 },
    });
  });

  test.each([
    ["", "not a clock and its offset"],
    ["monotonic", "not a clock and its offset"],
    ["realtime=5", "not a clock and its offset"],
    ["monotonic=1h", "not a clock and its offset"],
    ["monotonic=1,monotonic=2", "monotonic is given twice"],
    ["monotonic=4611686018", "no clock goes that far"],
  ])("%j is refused", (text, message) => {
    expect(() => parseTimeOffsets(text)).toThrow(usage(message));
  });
});

test("the command declares the flags that the interface has", () => {
  const every: Required<Record<keyof SecurityFlags, true>> = {
    ...{ privileged: true, capAdd: true, capDrop: true, securityOpt: true, ulimit: true },
    ...{ sysctl: true, device: true, groupAdd: true, ipc: true, pid: true, uts: true },
    ...{ cgroupns: true, time: true, shmSize: true, oomScoreAdj: true, umask: true },
    ...{ stopSignal: true, stopTimeout: true, init: true, readOnly: true },
  };
  const declared = securityOptions(new Command("run")).options.map(({ member }) => member);
  expect(declared.toSorted()).toEqual(Object.keys(every).toSorted());
});
