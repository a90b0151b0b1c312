import { describe, expect, test } from "vitest";
import type { Healthcheck } from "../../../../src/oci/image-config.ts";
import {
  chooseHealthCheck,
  type HealthCheck,
  type HealthResult,
  healthOf,
} from "../../../../src/runtime/container/health.ts";

const STARTED = "2026-01-01T00:00:00Z";

const IMAGE: Healthcheck = {
  Test: ["CMD-SHELL", "ask it"],
  Interval: 2e9,
  Timeout: 0,
  StartPeriod: 0,
  StartInterval: 0,
  Retries: 7,
};

describe("chooseHealthCheck", () => {
  test("without one there is none, and NONE is none", () => {
    expect(chooseHealthCheck({}, undefined)).toBeNull();
    expect(chooseHealthCheck({}, { ...IMAGE, Test: ["NONE"] })).toBeNull();
    expect(chooseHealthCheck({}, { ...IMAGE, Test: [] })).toBeNull();
    expect(chooseHealthCheck({ noHealthcheck: true }, IMAGE)).toBeNull();
  });

  test("the image's, with docker's numbers where it has none", () => {
    expect(chooseHealthCheck({}, IMAGE)).toEqual({
      command: ["/bin/sh", "-c", "ask it"],
      interval: 2000,
      timeout: 30_000,
      startPeriod: 0,
      startInterval: 5000,
      retries: 7,
    });
    const exact = chooseHealthCheck({}, { ...IMAGE, Test: ["CMD", "ask", "it"] });
    expect(exact?.command).toEqual(["ask", "it"]);
  });

  test("each flag stands over what the image says", () => {
    const flags = { healthCmd: "other", healthInterval: "1m30s", healthRetries: "2" };
    expect(chooseHealthCheck(flags, IMAGE)).toMatchObject({
      command: ["/bin/sh", "-c", "other"],
      interval: 90_000,
      retries: 2,
    });
    const period = chooseHealthCheck({ healthStartPeriod: "500ms" }, IMAGE);
    expect(period).toMatchObject({ command: ["/bin/sh", "-c", "ask it"], startPeriod: 500 });
  });

  test.each([
    [{ noHealthcheck: true, healthCmd: "x" }],
    [{ healthCmd: "x", healthInterval: "10" }],
    [{ healthCmd: "x", healthRetries: "-1" }],
    [{ healthCmd: "x", healthRetries: "1.5" }],
  ])("%j is refused", (flags) => {
    expect(() => chooseHealthCheck(flags, undefined)).toThrow(
      expect.objectContaining({ code: "ERR_USAGE" }),
    );
  });
});

describe("healthOf", () => {
  const check: HealthCheck = {
    command: ["true"],
    interval: 1000,
    timeout: 1000,
    startPeriod: 5000,
    startInterval: 1000,
    retries: 2,
  };
  /** One check a second. */
  const log = (codes: readonly number[]): HealthResult[] =>
    codes.map((ExitCode, second) => {
      const time = new Date(Date.parse(STARTED) + second * 1000).toISOString();
      return { Start: time, End: time, ExitCode, Output: "" };
    });
  const status = (codes: readonly number[]) => {
    const { Status, FailingStreak } = healthOf(check, log(codes), STARTED);
    return [Status, FailingStreak];
  };

  test.each([
    [[], "starting", 0],
    [[0], "healthy", 0],
    [[1, 1, 1, 1, 1], "starting", 0],
    [[1, 1, 1, 1, 1, 1], "starting", 1],
    [[1, 1, 1, 1, 1, 1, 1], "unhealthy", 2],
    [[0, 1], "healthy", 1],
    [[0, 1, 1], "unhealthy", 2],
    [[0, 1, 1, 1], "unhealthy", 3],
    [[0, 1, 1, 0], "healthy", 0],
    [[0, -1, 125], "unhealthy", 2],
  ])("%j is %s with %i failures in a row", (codes, word, streak) => {
    expect(status(codes)).toEqual([word, streak]);
  });

  test("five results are shown", () => {
    const { Log } = healthOf(check, log([0, 0, 1, 0, 0, 0, 0]), STARTED);
    expect(Log.map(({ ExitCode }) => ExitCode)).toEqual([1, 0, 0, 0, 0]);
  });
});
