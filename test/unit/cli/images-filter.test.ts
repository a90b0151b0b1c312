import { describe, expect, test } from "vitest";
import { imageFilter } from "../../../src/cli/images-filter.ts";

const image = {
  repository: "registry.example/team/app",
  tag: "1.2",
  created: "2026-01-02T00:00:00Z",
  labels: () => ({ a: "1", b: "" }),
};
const nameless = { ...image, repository: "<none>", tag: "<none>" };
const lookup = {
  createdOf: (name: string) => (name === "old" ? "2026-01-01T00:00:00Z" : "2026-01-03T00:00:00Z"),
};

describe("filters of images", () => {
  test.each([
    [["dangling=false"], true],
    [["dangling=true"], false],
    [["label=a", "label=b"], true],
    [["label=a=1", "label=c"], false],
    [["before=new"], true],
    [["before=old"], false],
    [["since=old", "until=1s"], true],
    [["until=2026-01-01T00:00:00Z"], false],
    [["reference=registry.example/team/app"], true],
    [["reference=registry.example/*/app:1.*"], true],
    [["reference=registry.example/*"], false],
    [["reference=registry.example/team/ap."], false],
    [["reference=x", "reference=*/*/a??"], true],
  ])("%j: %s", (filters, fits) => {
    expect(imageFilter(filters, lookup)(image)).toBe(fits);
  });

  test("what has no name is dangling, and no reference", () => {
    expect(imageFilter(["dangling=1"], lookup)(nameless)).toBe(true);
    expect(imageFilter(["reference=*"], lookup)(nameless)).toBe(false);
  });

  test.each(["color=red", "label", "dangling=perhaps"])("%s is refused", (filter) => {
    expect(() => imageFilter([filter], lookup)).toThrow(`invalid filter "${filter}"`);
  });
});
