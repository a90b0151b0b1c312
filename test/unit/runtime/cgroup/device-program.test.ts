import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DeviceRule } from "../../../../src/oci/linux-resources.ts";
import { deviceProgram } from "../../../../src/runtime/cgroup/device-program.ts";
import { deviceRules } from "../../../../src/runtime/devices.ts";
import { type DeviceRequest, runDeviceProgram, unreachable } from "./device-interpreter.ts";

const BITS = { m: 1, r: 2, w: 4 } as const;

/** Each kind of access by itself: the last rule that is about it decides, and else it may. */
function isAllowed(rules: readonly DeviceRule[], request: DeviceRequest): boolean {
  return (["m", "r", "w"] as const)
    .filter((letter) => (request.access & BITS[letter]) !== 0)
    .every((letter) => {
      const last = rules.findLast(
        ({ type = "a", major, minor, access = "rwm" }) =>
          (type === "a" || (type === "b" ? 1 : 2) === request.kind) &&
          (major ?? request.major) === request.major &&
          (minor ?? request.minor) === request.minor &&
          access.includes(letter),
      );
      return last?.allow ?? true;
    });
}

// Few numbers, so that rules meet.
const number = fc.integer({ min: 0, max: 3 });
const rule = fc
  .record(
    {
      allow: fc.boolean(),
      type: fc.constantFrom("a", "b", "c"),
      major: number,
      minor: number,
      access: fc.constantFrom("r", "w", "m", "rw", "wm", "rm", "rwm", "mrw"),
    },
    { requiredKeys: ["allow"] },
  )
  .map((value) => value as DeviceRule);
const request = fc.record({
  access: fc.integer({ min: 1, max: 7 }),
  kind: fc.constantFrom(1, 2),
  major: number,
  minor: number,
});

describe("a device program", () => {
  test("decides as the last rule for each access does, whatever the rules", () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), fc.array(request), (rules, requests) => {
        const program = deviceProgram(rules);
        for (const asked of requests) {
          const answer = program === undefined ? 1 : runDeviceProgram(program, asked);
          expect(answer).toBe(isAllowed(rules, asked) ? 1 : 0);
        }
        if (program !== undefined) expect(unreachable(program)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test("isn't there when nothing is forbidden", () => {
    expect(deviceProgram([])).toBeUndefined();
    expect(deviceProgram(deviceRules(true))).toBeUndefined();
    expect(
      deviceProgram([{ allow: false }, { allow: true, major: 1 }, { allow: true }]),
    ).toBeUndefined();
  });

  test("lets a container have /dev/null and terminals, and make any node but open no disk", () => {
    const program = deviceProgram(deviceRules(false)) ?? new Uint8Array();
    const ask = (kind: number, major: number, minor: number, access: number) =>
      runDeviceProgram(program, { kind, major, minor, access });
    expect([ask(2, 1, 3, 6), ask(2, 136, 7, 6), ask(1, 8, 0, 1)]).toEqual([1, 1, 1]);
    expect([ask(1, 8, 0, 2), ask(1, 8, 0, 4), ask(2, 1, 1, 2), ask(2, 10, 237, 6)]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test("refuses rules that make no sense", () => {
    expect(() => deviceProgram([{ allow: false, access: "rx" }])).toThrow(/access "rx"/);
    expect(() => deviceProgram([{ allow: false, major: -1 }])).toThrow(/number -1/);
  });
});
