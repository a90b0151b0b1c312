import { expect, test } from "vitest";
import { parseDuration } from "../../../src/runtime/duration.ts";

test.each([
  ["0", 0],
  ["0s", 0],
  ["1s", 1000],
  ["1h2m3.5s", 3_723_500],
  ["500ms", 500],
  ["1m30s", 90_000],
  // Rounded up: what is asked for is something.
  ["1ns", 1],
  ["1500us", 2],
])("%s is %i ms", (text, ms) => {
  expect(parseDuration(text, "--flag")).toBe(ms);
});

test.each(["", "10", "s", "-1s", "1 s", "1s ", "1d", "1.s", "0x1s", "1sm"])(
  "%j is refused with the flag's name",
  (text) => {
    expect(() => parseDuration(text, "--flag")).toThrow(
      expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining("--flag") }),
    );
  },
);
