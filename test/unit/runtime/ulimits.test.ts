import { expect, test } from "vitest";
import { parseUlimits, UNLIMITED } from "../../../src/runtime/ulimits.ts";

test("ulimits are docker's: soft, soft and hard, none at all; the last of a name counts", () => {
  const limits = parseUlimits([
    "nofile=512",
    "nofile=1024:4096",
    "core=0:-1",
    "memlock=unlimited",
    "host",
  ]);
  expect(limits).toEqual([
    { type: "RLIMIT_NOFILE", soft: 1024, hard: 4096 },
    { type: "RLIMIT_CORE", soft: 0, hard: UNLIMITED },
    { type: "RLIMIT_MEMLOCK", soft: UNLIMITED, hard: UNLIMITED },
  ]);
});

test("no limit stays within 64 bits in JSON, and is what the tape takes for no limit", () => {
  expect(BigInt(JSON.stringify(UNLIMITED)) < 2n ** 64n).toBe(true);
  expect(UNLIMITED >= 2 ** 63).toBe(true);
});

test.each([
  ["nofile", "is not name=soft[:hard]", "nofile=1024:4096"],
  ["=5", "is not name=soft[:hard]", "nofile"],
  ["nofiles=5", 'no limit "nofiles"', "did you mean nofile?"],
  ["as=5", 'no limit "as"', "known:"],
  ["nofile=5:4", "soft limit is above", "lower"],
  ["nofile=-1:4", "soft limit is above", "lower"],
  ["nofile=1:2:3", "is not name=soft[:hard]", ""],
  ["nofile=", '"" is not a limit', "-1"],
  ["nofile=-2", '"-2" is not a limit', "-1"],
  ["nofile=1e3", '"1e3" is not a limit', "-1"],
  ["nofile=99999999999999999999", "is not a limit", "-1"],
])("%j is refused", (text, message, hint) => {
  expect(() => parseUlimits([text])).toThrow(
    expect.objectContaining({
      code: "ERR_USAGE",
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    }),
  );
});
