import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSize } from "../../../../drivers/devicemapper/size-option.ts";
import { thinNames } from "../../../../drivers/devicemapper/thin-names.ts";
import { createThinPool, thinMetadataSize } from "../../../../drivers/devicemapper/thin-pool.ts";

const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/);

it("names of different pools and devices never meet", () => {
  fc.assert(
    fc.property(word, word, fc.nat(), fc.nat(), (one, other, first, second) => {
      fc.pre(one !== other || first !== second);
      const [a, b] = [thinNames(one), thinNames(other)];
      expect(a.device(first)).not.toBe(b.device(second));
      expect(a.pool).not.toBe(b.device(second));
      expect(a.isDevice(a.device(first))).toBe(true);
      expect(a.isDevice(b.pool)).toBe(false);
      expect(a.isDevice(b.device(second))).toBe(one === other);
    }),
  );
});

it("refuses names that device-mapper or a command line would read otherwise", () => {
  for (const name of ["", "-f", "a b", "a,b", "a;b", "a/b", "a\\b", "ä", "a".repeat(65)])
    expect(() => thinNames(name)).toThrow(/a thin pool can't be called/);
});

it("gives metadata room that grows with the pool, within what the kernel takes", () => {
  expect(thinMetadataSize(2 ** 20)).toBe(16 * 2 ** 20);
  expect(thinMetadataSize(2 ** 60)).toBe(16 * 2 ** 30);
  expect(thinMetadataSize(100 * 2 ** 30) % 4096).toBe(0);
});

it("refuses what is no block device, by its path", () => {
  const pool = { name: "x", metadata: import.meta.filename, data: "/dev/null" };
  expect(() => createThinPool(pool)).toThrow(
    `'${import.meta.filename}' of thin pool 'x' is no block device`,
  );
});

it("reads sizes as docker writes them, and no others", () => {
  expect(["5", "1k", "512m", "10G", "1.5TiB", "2gb"].map(parseSize)).toEqual([
    ...[5, 1024, 512 * 2 ** 20, 10 * 2 ** 30, 1.5 * 2 ** 40, 2 * 2 ** 30],
  ]);
  for (const text of ["", "0", "-1", "1x", "1e9", "G", "10 000", "9999999999p"])
    expect(() => parseSize(text)).toThrow(/storage option 'size' can't be/);
});
