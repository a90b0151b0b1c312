import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSize } from "../../../../drivers/btrfs/quota.ts";

const UNITS = ["", "k", "m", "g", "t"];

it("sizes are read as docker writes them", () => {
  const size = fc.record({
    count: fc.integer({ min: 1, max: 8000 }),
    unit: fc.nat({ max: UNITS.length - 1 }),
    tail: fc.constantFrom("", "b", "B", "iB", "ib"),
    upper: fc.boolean(),
    space: fc.constantFrom("", " "),
  });
  fc.assert(
    fc.property(size, ({ count, unit, tail, upper, space }) => {
      const letter = UNITS[unit] ?? "";
      const text = `${count}${space}${upper ? letter.toUpperCase() : letter}${tail}`;
      expect(parseSize(text)).toBe(count * 1024 ** unit);
    }),
  );
  expect(parseSize("1.5G")).toBe(1.5 * 1024 ** 3);
});

it("what is no size is refused by its name", () => {
  for (const text of [
    "",
    "0",
    "-1",
    "G",
    "1x",
    "1e3",
    "1 0",
    "Infinity",
    "NaN",
    "9".repeat(30),
    "99999p",
  ])
    expect(() => parseSize(text), text).toThrow(
      expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining(`'${text}'`) }),
    );
});
