import { describe, expect, test } from "vitest";
import {
  hiddenPaths,
  MASKED_PATHS,
  READONLY_PATHS,
  thermalPaths,
} from "../../../src/runtime/masked-paths.ts";

const hidden = (
  options: { systemPaths?: "unconfined"; mask?: string[]; unmask?: string[] } = {},
  privileged = false,
) => hiddenPaths(privileged, { systemPaths: "default", mask: [], unmask: [], ...options }, THERMAL);
const THERMAL = ["/sys/devices/system/cpu/cpu0/thermal_throttle"];

describe("what is hidden from a container", () => {
  test("is docker's list and each CPU's heat", () => {
    expect(hidden()).toEqual({
      maskedPaths: [...MASKED_PATHS, ...THERMAL],
      readonlyPaths: READONLY_PATHS,
    });
    expect(MASKED_PATHS).toContain("/proc/interrupts");
    expect(MASKED_PATHS).toContain("/sys/devices/virtual/powercap");
  });

  test("is nothing but what is asked for when privileged, unconfined or all unmasked", () => {
    const nothing = { maskedPaths: [], readonlyPaths: [] };
    expect(hidden({}, true)).toEqual(nothing);
    expect(hidden({ systemPaths: "unconfined" })).toEqual(nothing);
    expect(hidden({ unmask: ["ALL"] })).toEqual(nothing);
    const asked = { maskedPaths: ["/opt/key"], readonlyPaths: [] };
    expect(hidden({ mask: ["/opt/key", "/opt/key"] }, true)).toEqual(asked);
  });

  test("is less what is unmasked: by path, or by a pattern that stops at slashes", () => {
    const byPath = hidden({ unmask: ["/proc/acpi/", "/proc/sys", "/proc/k"] });
    expect(byPath.maskedPaths).toEqual(hidden().maskedPaths.filter((it) => it !== "/proc/acpi"));
    expect(byPath.readonlyPaths).toEqual(READONLY_PATHS.filter((it) => it !== "/proc/sys"));
    const byPattern = hidden({ unmask: ["/proc/*", "/sys/firmwar?"] });
    expect(byPattern.maskedPaths).toEqual(["/sys/devices/virtual/powercap", ...THERMAL]);
    expect(hidden({ unmask: ["/*"] })).toEqual(hidden());
    expect(hidden({ unmask: ["/proc/a.pi", "/proc/[a"] })).toEqual(hidden());
    expect(hidden({ unmask: [`/${"*".repeat(5000)}`] })).toEqual(hidden());
  });

  test("has the heat of CPUs that are there", () => {
    const paths = (possible: string) =>
      thermalPaths(possible, (path) => !path.includes("cpu1/")).map((path) => path.split("/")[5]);
    expect(paths("0-2,5\n")).toEqual(["cpu0", "cpu2", "cpu5"]);
    expect(paths("0\n")).toEqual(["cpu0"]);
    expect(paths("0-4294967295")).toEqual([]);
    expect(paths("what")).toEqual([]);
  });
});
