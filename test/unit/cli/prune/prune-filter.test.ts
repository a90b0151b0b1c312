import { describe, expect, test } from "vitest";
import { pruneFilter } from "../../../../src/cli/prune/prune-filter.ts";

describe("pruneFilter", () => {
  const thing = { labels: { a: "1", b: "" }, created: "2026-01-02T00:00:00Z" };
  test.each([
    [[], true],
    [["label=a"], true],
    [["label=a=1", "label=b"], true],
    [["label=a=1", "label=c"], false],
    [["label!=a"], false],
    [["label!=a=2"], true],
    [["label!=c", "until=2026-01-03T00:00:00Z"], true],
    [["until=2026-01-01T00:00:00Z"], false],
  ])("%j: %s", (filters, fits) => {
    expect(pruneFilter(filters)(thing)).toBe(fits);
  });

  test("what nobody knows the age of is old", () => {
    expect(pruneFilter(["until=1h"])({ labels: {}, created: null })).toBe(true);
  });

  test.each(["color=red", "label", "=x", "toString=x"])("%s is refused", (filter) => {
    expect(() => pruneFilter([filter])).toThrow(`invalid filter "${filter}"`);
  });
});
