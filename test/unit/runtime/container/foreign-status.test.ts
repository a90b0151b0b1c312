import { expect, test } from "vitest";
import { statusOfFailure } from "../../../../src/runtime/container/foreign-status.ts";

/** As the runtimes write it. */
const error = (msg: string) => `${JSON.stringify({ level: "error", msg, time: "now" })}\n`;

test.each([
  [
    127,
    'runc run failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
  ],
  [
    127,
    'unable to start container process: exec: "/a/nosuch": stat /a/nosuch: no such file or directory',
  ],
  [127, "executable file `nosuch` not found in $PATH: No such file or directory"],
  [126, 'unable to start container process: exec: "nosuch": permission denied'],
  [126, "open executable: Permission denied"],
  [126, 'exec: "nosuch": exec format error'],
  [125, 'error mounting "/gone": stat /gone: no such file or directory'],
  [125, "cgroups in hybrid mode not supported"],
])("%i: %s", (status, message) => {
  const warning = '{"level":"warning","msg":"permission denied"}\n';
  expect(statusOfFailure(warning + error(message), "nosuch")).toBe(status);
});

test("without an error the status is the process's own", () => {
  expect(statusOfFailure("", "sh")).toBeUndefined();
  expect(statusOfFailure('{"level":"warning","msg":"sh: no such file"}\n', "sh")).toBeUndefined();
});
