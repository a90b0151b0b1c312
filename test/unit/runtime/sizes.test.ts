import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCount, parseCpuList, parseCpus, parseSize } from "../../../src/runtime/sizes.ts";

describe("sizes", () => {
  test.each([
    ["0", 0],
    ["1024", 1024],
    ["512m", 512 * 2 ** 20],
    ["512MB", 512 * 2 ** 20],
    ["512 MiB", 512 * 2 ** 20],
    ["1.5g", 1.5 * 2 ** 30],
    ["32kb", 32 * 1024],
    ["7b", 7],
    ["1T", 2 ** 40],
    ["2p", 2 ** 51],
    ["0.3k", 307],
  ])("%j is %d bytes", (text, bytes) => {
    expect(parseSize(text, "--memory")).toBe(bytes);
  });

  test.each(["", "m", "-1m", "1x", "1,5g", "0x10", "1e3", "1mm", ".5g", "NaN", "9".repeat(40)])(
    "%j is refused by name of the flag",
    (text) => {
      expect(() => parseSize(text, "--memory")).toThrow(/--memory/);
    },
  );

  test("that a number can't hold exactly are refused", () => {
    expect(() => parseSize("9999999999p", "--memory")).toThrow(/larger than any machine's/);
  });

  test("CPUs become a share of each tenth of a second", () => {
    expect(parseCpus("0.5")).toEqual({ quota: 50_000, period: 100_000 });
    expect(parseCpus("2")).toEqual({ quota: 200_000, period: 100_000 });
    expect(parseCpus(".01").quota).toBe(1000);
    for (const bad of ["0", "0.001", "-1", "", ".", "1e2", "two", "1.2.3"]) {
      expect(() => parseCpus(bad)).toThrow(/--cpus/);
    }
  });

  test("counts stay within their bounds", () => {
    expect(parseCount("-1", "--pids-limit", -1, 10)).toBe(-1);
    for (const bad of ["11", "-2", "1.5", "", "ten", "0x1"]) {
      expect(() => parseCount(bad, "--pids-limit", -1, 10)).toThrow(/--pids-limit/);
    }
  });

  test("lists of CPUs are numbers and ascending ranges", () => {
    expect(parseCpuList(" 0-3,7 ", "--cpuset-cpus")).toBe("0-3,7");
    for (const bad of ["", "0-", "3-1", "a", "0,,1", "-1", "0\n1", "1-2-3"]) {
      expect(() => parseCpuList(bad, "--cpuset-cpus")).toThrow(/--cpuset-cpus/);
    }
  });

  test("any number of any unit comes back as written", () => {
    fc.assert(
      fc.property(fc.nat({ max: 4095 }), fc.nat({ max: 3 }), (count, unit) => {
        expect(parseSize(`${count}${"bkmg"[unit]}`, "-m")).toBe(count * 1024 ** unit);
      }),
    );
  });
});
