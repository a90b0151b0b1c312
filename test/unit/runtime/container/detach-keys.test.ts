import { expect, test } from "vitest";
import { parseDetachKeys } from "../../../../src/runtime/container/detach-keys.ts";

test.each([
  [undefined, "\x10\x11"],
  [null, "\x10\x11"],
  ["", undefined],
  ["a", "a"],
  ["ctrl-a,x", "\x01x"],
  ["CTRL-Z", "\x1a"],
  ["ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", "\x1b\x1c\x1d\x1e\x1f"],
])("%j", (text, keys) => {
  expect(parseDetachKeys(text)).toBe(keys);
});

test.each(["f13", "ctrl-", "ctrl-1", "ctrl-ab", "a,,b", "ä", "ctrl-@", ",", "a,"])(
  "%j is refused",
  (text) => {
    expect(() => parseDetachKeys(text)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
  },
);
