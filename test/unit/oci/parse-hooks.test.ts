import { describe, expect, test } from "vitest";
import { parseHooks } from "../../../src/oci/parse-hooks.ts";

const PLACE = { what: "config.json: hooks", code: "ERR_CONFIG_INVALID" } as const;

describe("hooks of a bundle", () => {
  test("kinds without hooks, and members that no hook has, are left out", () => {
    const full = { path: "/bin/a", args: ["a", "b"], env: ["A=b"], timeout: 5 };
    const given = {
      prestart: [full],
      createRuntime: [],
      poststop: null,
      startContainer: [{ path: "/b", args: [], other: 1 }],
      unknown: [{}],
    };
    expect(parseHooks(given, PLACE)).toEqual({
      prestart: [full],
      startContainer: [{ path: "/b" }],
    });
  });

  test.each([
    [{ prestart: {} }, "hooks.prestart is an object in place of a list"],
    [{ prestart: [{}] }, "hooks.prestart[0].path is missing in place of a string"],
    [{ poststop: [{ path: "sh" }] }, "hooks.poststop[0].path is not an absolute path"],
    [{ poststart: [{ path: "/a", timeout: 0 }] }, "timeout is 0, not a whole number from 1"],
    [{ poststart: [{ path: "/a\0b" }] }, "path holds a NUL"],
    [{ poststart: [{ path: "/a", env: [1] }] }, "env[0] is a number in place of a string"],
  ])("%j is refused", (given, why) => {
    expect(() => parseHooks(given, PLACE)).toThrow(why);
  });
});
