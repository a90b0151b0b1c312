import { describe, expect, test } from "vitest";
import type { ExitRecord } from "../../../../src/runtime/container/container.ts";
import {
  parseRestartPolicy,
  restartPause,
  restartsInRow,
  wantsRestart,
} from "../../../../src/runtime/container/restart-policy.ts";

const ended = (exitCode: number): ExitRecord => ({
  exitCode,
  signal: 0,
  oomKilled: false,
  finishedAt: "2026-01-01T00:00:00Z",
});

describe("parseRestartPolicy", () => {
  test.each([
    [undefined, { name: "no", most: 0 }],
    ["", { name: "no", most: 0 }],
    ["no", { name: "no", most: 0 }],
    ["always", { name: "always", most: 0 }],
    ["unless-stopped", { name: "unless-stopped", most: 0 }],
    ["on-failure", { name: "on-failure", most: 0 }],
    ["on-failure:5", { name: "on-failure", most: 5 }],
  ])("%s", (text, policy) => {
    expect(parseRestartPolicy(text)).toEqual(policy);
  });

  test.each(["Always", "always:3", "on-failure:", "on-failure:-1", "on-failure:1e9", "no:1", "x"])(
    "%s is refused with what there is",
    (text) => {
      expect(() => parseRestartPolicy(text)).toThrow(
        expect.objectContaining({ code: "ERR_USAGE", hint: expect.stringContaining("on-failure") }),
      );
    },
  );
});

describe("wantsRestart", () => {
  test.each([
    ["no", 1, 0, false],
    ["always", 0, 1000, true],
    ["unless-stopped", 0, 0, true],
    ["on-failure", 0, 0, false],
    ["on-failure", 1, 1000, true],
    ["on-failure:2", 1, 1, true],
    ["on-failure:2", 1, 2, false],
  ])("%s after status %i and %i restarts: %s", (text, code, restarts, wanted) => {
    expect(wantsRestart(parseRestartPolicy(text), ended(code), restarts)).toBe(wanted);
  });
});

describe("restartPause", () => {
  test("doubles from 100 ms to a minute", () => {
    expect([0, 1, 2, 3].map(restartPause)).toEqual([100, 200, 400, 800]);
    expect(restartPause(30)).toBe(60_000);
    expect(restartPause(5000)).toBe(60_000);
  });
});

describe("restartsInRow", () => {
  test.each([
    ["2025-12-31T23:59:50Z", 0],
    ["2025-12-31T23:59:51Z", 7],
    [undefined, 7],
  ])("of 7, after a run from %s to midnight: %i", (startedAt, left) => {
    expect(restartsInRow(7, startedAt, ended(1))).toBe(left);
  });
});
