import { expect, it } from "vitest";
import { Content } from "../../../src/bench/content.ts";
import { snapshotIds } from "../../../src/bench/place/snapshot-ids.ts";
import { everyDriver, parseWishes } from "../../../src/bench/place/wishes.ts";
import { parseBudget, parseCounts } from "../../../src/cli/bench/parse-flags.ts";

it("a list of drivers names each, and numbers those that stand twice", () => {
  expect(parseWishes("overlay2, btrfs:fast,overlay2")).toEqual([
    { kind: "overlay2", pool: undefined, copy: 1 },
    { kind: "btrfs", pool: "fast", copy: 1 },
    { kind: "overlay2", pool: undefined, copy: 2 },
  ]);
  expect(everyDriver().map(({ kind }) => kind)).toEqual([
    ...["overlay2", "erofs", "btrfs", "zfs", "devicemapper", "reflink", "vfs"],
  ]);
  for (const text of ["", "overlay", "zfs:", ",vfs", "vfs,"])
    expect(() => parseWishes(text)).toThrow(/there is no storage driver/);
});

it("contents follow from the seed, and no block is like another", () => {
  const blocks = (seed: number) => {
    const content = new Content(seed);
    return [8192, 4096, 100].map((size) => content.next(size).toString("base64"));
  };
  expect(blocks(1)).toEqual(blocks(1));
  expect(blocks(1)).not.toEqual(blocks(2));
  const content = new Content(1);
  const seen = new Set<string>();
  for (let file = 0; file < 50; file++) {
    const bytes = content.next(3 * 4096);
    for (let at = 0; at < bytes.length; at += 4096)
      seen.add(bytes.subarray(at, at + 4096).toString("latin1"));
  }
  expect(seen.size).toBe(150);
});

it("names of snapshots follow from the seed, and don't repeat", () => {
  const [first, second, other] = [snapshotIds(1), snapshotIds(1), snapshotIds(2)];
  const names = Array.from({ length: 1000 }, first);
  expect(names).toEqual(Array.from({ length: 1000 }, second));
  expect(names).not.toContain(other());
  expect(new Set(names).size).toBe(1000);
  expect(names.every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
});

it("times and counts are read, or refused", () => {
  expect(["90s", "10m", "1.5h", "30"].map(parseBudget)).toEqual([90e3, 600e3, 5400e3, 30e3]);
  for (const text of ["", "0", "10ms", "2d", "-1m"]) expect(() => parseBudget(text)).toThrow(/90s/);
  expect(parseCounts("50, 1,10,10")).toEqual([1, 10, 50]);
  for (const text of ["", "0", "1,,2", "501", "a"]) expect(() => parseCounts(text)).toThrow();
});
