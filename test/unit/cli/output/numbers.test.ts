import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAge, formatDuration } from "../../../../src/cli/output/duration.ts";
import { ellipsis, shortId } from "../../../../src/cli/output/shorten.ts";
import { formatSize } from "../../../../src/cli/output/size.ts";

test.each([
  [0, "0B"],
  [5, "5B"],
  [999, "999B"],
  [1000, "1kB"],
  [7_340_000, "7.34MB"],
  [12_345_678, "12.3MB"],
  [999_499, "999kB"],
  [999_600, "1MB"],
  [1_234_567_890, "1.23GB"],
  [2e15, "2PB"],
  [-1, "0B"],
  [Number.NaN, "0B"],
])("%d bytes are %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));

test("a size has at most six characters and is right to three digits", () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      const text = formatSize(bytes);
      expect(text.length).toBeLessThanOrEqual(6);
      const [, number, unit] = /^([\d.]+)([kMGTP]?)B$/.exec(text) ?? [];
      const value = Number(number) * 1000 ** " kMGTP".indexOf(unit || " ");
      expect(Math.abs(value - bytes)).toBeLessThanOrEqual(bytes * 0.005);
    }),
  );
});

const [S, M, H, D] = [1000, 60_000, 3_600_000, 86_400_000];

test.each([
  [-5, "Less than a second"],
  [999, "Less than a second"],
  [S, "1 second"],
  [59.9 * S, "59 seconds"],
  [M, "About a minute"],
  [3 * M, "3 minutes"],
  [59.9 * M, "59 minutes"],
  [H, "About an hour"],
  [1.6 * H, "2 hours"],
  [47 * H, "47 hours"],
  [2 * D, "2 days"],
  [13 * D, "13 days"],
  [14 * D, "2 weeks"],
  [59 * D, "8 weeks"],
  [60 * D, "2 months"],
  [729 * D, "24 months"],
  [730 * D, "2 years"],
])("%d ms are %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

test("an age says when it was", () => expect(formatAge(3 * M)).toBe("3 minutes ago"));

test("IDs have twelve digits unless they are wanted whole", () => {
  const id = `sha256:${"0123456789abcdef".repeat(4)}`;
  expect([shortId(id), shortId(id, true), shortId("abc")]).toEqual(["0123456789ab", id, "abc"]);
});

test("an ellipsis takes the place of what is cut", () => {
  expect([ellipsis("hello", 5), ellipsis("hello!", 5), ellipsis("😀😀😀", 2)]).toEqual([
    "hello",
    "hell…",
    "😀…",
  ]);
});
