import { expect, test } from "vitest";
import {
  hasLog,
  logLimit,
  parseLogOptions,
} from "../../../../src/runtime/container/log-options.ts";
import { TsimgError } from "../../../../src/sys/error.ts";

const MB = 1024 * 1024;

test.each([
  [undefined, ["max-size=10m", "max-file=3"], { size: 10 * MB, files: 3 }],
  ["json-file", ["max-size=1k"], { size: 1024, files: 1 }],
  ["json-file", ["max-file=3"], undefined],
  ["local", [], { size: 20 * MB, files: 5 }],
  ["local", ["max-size=1m"], { size: MB, files: 5 }],
  ["local", ["max-size=-1"], undefined],
  ["k8s-file", [], undefined],
])("--log-driver %s --log-opt %j", (driver, given, limit) => {
  const log = parseLogOptions(driver, given);
  expect(log !== undefined && logLimit(log)).toEqual(limit);
  expect(log !== undefined && hasLog(log)).toBe(true);
});

test("none has no log, and nothing asked for is the usual", () => {
  const none = parseLogOptions("none", []);
  expect(none !== undefined && hasLog(none)).toBe(false);
  expect(parseLogOptions(undefined, [])).toBeUndefined();
});

test.each([
  ["syslog", [], "there is no log driver 'syslog'"],
  [undefined, ["tag=x"], "unknown log opt 'tag'"],
  [undefined, ["max-size=0"], "max-size=0"],
  [undefined, ["max-size=much"], 'invalid size "much"'],
  [undefined, ["max-size=1m", "max-file=0"], "max-file=0"],
  [undefined, ["max-size=1m", "max-file=1e3"], "max-file=1e3"],
])("%s %j is refused", (driver, given, words) => {
  expect(() => parseLogOptions(driver, given)).toThrow(TsimgError);
  expect(() => parseLogOptions(driver, given)).toThrow(words);
});
