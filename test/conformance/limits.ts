import { expect, it } from "vitest";
import { type Change, dir, file, symlink } from "../../fixtures/layers/change.ts";
import { type Keeps, LARGEST_ID } from "./keeps.ts";
import { applyLayer } from "./model.ts";
import { expectSame, linesOfModel } from "./tree-lines.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";

/** The largest numbers: kept, or refused in words, never made into others. */
export function describeLimits(makeDriver: MakeDriver, keeps: Keeps): void {
  const kept = keeps.largestId === LARGEST_ID;
  const owned: Readonly<Record<string, readonly Change[]>> = {
    file: [file("f", "", { uid: LARGEST_ID, gid: 2_147_483_648 })],
    directory: [dir("d", { uid: 2_147_483_648, gid: LARGEST_ID })],
    symlink: [symlink("s", "f", { uid: LARGEST_ID })],
    root: [dir("./", { gid: LARGEST_ID })],
  };
  for (const [what, layer] of Object.entries(owned))
    it(`${kept ? "keeps" : "refuses"} the largest owners of a ${what}`, async () => {
      using workshop = new Workshop(makeDriver);
      if (!kept) return expect(workshop.stack([layer])).rejects.toThrow(/owner|[ug]id|chown/);
      const top = await workshop.stack([layer]);
      if (top === null) throw new Error("there is no layer");
      expectSame(linesOfModel(applyLayer(undefined, layer), keeps), workshop.look(top));
    });
}
