import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  CAPABILITIES,
  type CapabilityWish,
  capabilityNames,
  capabilitySets,
  chooseCapabilities,
  DEFAULT_CAPABILITIES,
} from "../../../src/runtime/capabilities.ts";

const nothing: CapabilityWish = {
  privileged: false,
  add: [],
  drop: [],
  available: CAPABILITIES,
  devicesLimited: true,
};
const choose = (wish: Partial<CapabilityWish>) => chooseCapabilities({ ...nothing, ...wish });
const mask = (names: readonly string[]) =>
  names.reduce((sum, name) => sum | (1n << BigInt(CAPABILITIES.indexOf(name))), 0n).toString(16);

describe("the capabilities of a container", () => {
  test("are docker's fourteen when nothing is asked for", () => {
    expect(mask(choose({}))).toBe("a80425fb");
  });

  test("are all that the machine has when it is privileged, whatever else is asked for", () => {
    const available = CAPABILITIES.filter((name) => name !== "CAP_SYS_RESOURCE");
    expect(choose({ privileged: true, drop: ["ALL"], available })).toEqual(available);
  });

  test("are added and dropped with and without prefix, in any case", () => {
    const chosen = choose({ add: ["net_admin", "CAP_SYS_TIME"], drop: ["cap_chown", "Kill"] });
    const want = new Set(DEFAULT_CAPABILITIES).union(new Set(["CAP_NET_ADMIN", "CAP_SYS_TIME"]));
    want.delete("CAP_CHOWN");
    want.delete("CAP_KILL");
    expect(new Set(chosen)).toEqual(want);
  });

  test("ALL means all, and single names still count against it", () => {
    expect(choose({ drop: ["all"], add: ["CHOWN"] })).toEqual(["CAP_CHOWN"]);
    expect(choose({ drop: ["all"] })).toEqual([]);
    expect(choose({ add: ["ALL"], drop: ["SYS_ADMIN"] })).toEqual(
      CAPABILITIES.filter((name) => name !== "CAP_SYS_ADMIN"),
    );
  });

  test("leave out CAP_MKNOD where no cgroup limits devices, unless it is named", () => {
    expect(choose({ devicesLimited: false })).not.toContain("CAP_MKNOD");
    expect(choose({ devicesLimited: false, add: ["mknod"] })).toContain("CAP_MKNOD");
  });

  test("that don't exist are refused with the nearest that does", () => {
    expect(() => choose({ add: ["NET_ADMN"] })).toThrow(
      expect.objectContaining({ code: "ERR_USAGE", hint: "did you mean NET_ADMIN?" }),
    );
    expect(() => choose({ drop: [`${"x".repeat(5000)}`] })).toThrow(/--cap-drop/);
  });

  test("are read from a mask as far as the kernel knows them", () => {
    expect(capabilityNames("000001fffeffffff", "40\n")).toEqual(
      CAPABILITIES.filter((name) => name !== "CAP_SYS_RESOURCE"),
    );
    expect(capabilityNames("ffffffffffffffff", "37")).toHaveLength(38);
  });

  const header = "/usr/include/linux/capability.h";
  test.skipIf(!existsSync(header))("have the kernel's bits", () => {
    const defined = [...readFileSync(header, "utf8").matchAll(/^#define (CAP_[A-Z_]+)\s+(\d+)$/gm)];
    expect(defined.map(([, name, bit]) => [name, Number(bit)])).toEqual(
      CAPABILITIES.map((name, bit) => [name, bit]),
    );
  });
});

describe("the first process of a container", () => {
  const granted = ["CAP_CHOWN", "CAP_NET_RAW"];

  test("has, as root, what is granted, and passes none of it on by inheritance", () => {
    expect(capabilitySets(granted, 0)).toEqual({
      bounding: granted,
      effective: granted,
      permitted: granted,
      inheritable: [],
      ambient: [],
    });
  });

  test("has nothing as another user, whom programs with file capabilities may give it", () => {
    expect(capabilitySets(granted, 1000)).toEqual({
      bounding: granted,
      effective: [],
      permitted: [],
      inheritable: [],
      ambient: [],
    });
  });
});
