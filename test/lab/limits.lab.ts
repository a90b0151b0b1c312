import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { detectCgroups } from "../../src/runtime/cgroup/detect.ts";
import { deviceLimitCases } from "../system/support/device-limit-cases.ts";
import { limitCases } from "../system/support/limit-cases.ts";

/** The guest has version 2 alone, with every controller. */
describe("limits with cgroup version 2", () => {
  test("is what this machine has", () => {
    const mounts = readFileSync("/proc/self/mountinfo", "utf8");
    expect(detectCgroups(mounts).kind).toBe("v2");
  });

  limitCases();
  deviceLimitCases();
});
