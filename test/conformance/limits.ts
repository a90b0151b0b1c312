import { expect, it } from "vitest";
import { type Change, device, dir, file, symlink } from "../../fixtures/layers/change.ts";
import { type Keeps, LARGEST_DEVICE, LARGEST_ID } from "./keeps.ts";
import { applyLayer } from "./model.ts";
import { expectSame, linesOfModel } from "./tree-lines.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";

/** The largest numbers: kept, or refused in words, never made into others. */
export function describeLimits(makeDriver: MakeDriver, keeps: Keeps): void {
  const owners: Readonly<Record<string, Change>> = {
    file: file("f", "", { uid: LARGEST_ID, gid: 2_147_483_648 }),
    directory: dir("d", { uid: 2_147_483_648, gid: LARGEST_ID }),
    symlink: symlink("s", "f", { uid: LARGEST_ID }),
    root: dir("./", { gid: LARGEST_ID }),
  };
  for (const [what, change] of Object.entries(owners))
    keptOrRefused(`owners of a ${what}`, change, keeps.largestId === LARGEST_ID, /own|[ug]id/);
  const [major, minor] = keeps.largestDevice;
  const kept = major === LARGEST_DEVICE[0] && minor === LARGEST_DEVICE[1];
  keptOrRefused("device numbers", device("char", "n", LARGEST_DEVICE), kept, /mknod|device/);

  function keptOrRefused(what: string, change: Change, kept: boolean, says: RegExp): void {
    it(`${kept ? "keeps" : "refuses"} the largest ${what}`, async () => {
      using workshop = new Workshop(makeDriver);
      const stacking = workshop.stack([[change]]);
      if (!kept) {
        await expect(stacking).rejects.toThrow(says);
        return;
      }
      const top = await stacking;
      if (top === null) throw new Error("there is no layer");
      expectSame(linesOfModel(applyLayer(undefined, [change]), keeps), workshop.look(top));
    });
  }
}
