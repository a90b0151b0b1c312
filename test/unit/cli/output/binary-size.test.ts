import { expect, test } from "vitest";
import { formatBinarySize } from "../../../../src/cli/output/binary-size.ts";

test("memory has docker's binary units and four digits", () => {
  const sizes = [0, 1023, 1024, 7_746_000, 1024 ** 3 - 1, 25_275_912_192, -5, Number.NaN];
  expect(sizes.map(formatBinarySize)).toEqual([
    "0B",
    "1023B",
    "1KiB",
    "7.387MiB",
    "1GiB",
    "23.54GiB",
    "0B",
    "0B",
  ]);
});
