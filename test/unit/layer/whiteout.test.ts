import { expect, it } from "vitest";
import { classifyName } from "../../../src/layer/whiteout.ts";

it("a name is plain unless it begins with the whole prefix", () => {
  for (const name of ["a", ".wh", ".whx", "x.wh.y", "wh.a", "...", ".w"])
    expect(classifyName(name)).toEqual({ kind: "plain" });
});

it("a whiteout hides the rest of its name, whatever that is", () => {
  for (const name of ["a", ".hidden", "wh.", "-", "...", "caf\xe9", "a.wh.b", " "])
    expect(classifyName(`.wh.${name}`)).toEqual({ kind: "whiteout", name });
});

it("AUFS's own names are of no meaning, but for the opaque marker", () => {
  expect(classifyName(".wh..wh..opq")).toEqual({ kind: "opaque" });
  for (const name of [".wh..wh.plnk", ".wh..wh.aufs", ".wh..wh.", ".wh..wh..opq2"])
    expect(classifyName(name)).toEqual({ kind: "leftover" });
});

it("whiteouts that would remove their own directory, or nothing, are refused", () => {
  for (const name of [".wh.", ".wh..", ".wh..."]) expect(classifyName(name).kind).toBe("refused");
});
