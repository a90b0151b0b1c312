import fc from "fast-check";
import { expect, it } from "vitest";
import { entryComponents, UnsafeName } from "../../../src/layer/entry-path.ts";
import type { ByteString } from "../../../src/layer/tar/byte-string.ts";

const components = (name: string) => entryComponents(name as ByteString);

it("dots and doubled slashes make no difference", () => {
  expect(components("./a//b/./c/")).toEqual(["a", "b", "c"]);
  for (const root of ["", ".", "./", "/", "././/"]) expect(components(root)).toEqual([]);
});

it("what climbs or is absolute is refused, what only looks so is not", () => {
  for (const name of ["..", "../a", "a/..", "a/../b", "./..", "/a", "//a", "/.."])
    expect(() => components(name)).toThrow(UnsafeName);
  for (const name of ["...", "..a", "a..", "a/..b/c"]) expect(components(name)).not.toEqual([]);
});

it("no name leads out of its root", () => {
  const part = fc.constantFrom("a", ".", "..", "", "...", "b");
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      try {
        for (const component of components(parts.join("/"))) {
          expect(component).not.toMatch(/^\.{0,2}$/);
          expect(component).not.toContain("/");
        }
      } catch (error) {
        expect(error).toBeInstanceOf(UnsafeName);
        expect(parts.includes("..") || parts[0] === "").toBe(true);
      }
    }),
  );
});
