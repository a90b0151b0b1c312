import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { file, remove } from "../../fixtures/layers/change.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";
import { createOn, readAll, sealNow, stackOf, writable } from "./writable.ts";

const LAYERS = 300;
/** Milliseconds; the kernel lab, which runs this too, takes many minutes. */
const PATIENCE = 3_600_000;
const DEPTHS = [1, 2, 3, 127, 128, LAYERS];

/** Stacks as deep as images have them, and deeper. One stack serves all depths. */
export function describeDepth(makeDriver: MakeDriver): void {
  describe("stacks layers", () => {
    let workshop: Workshop;
    /** By depth - 1, base first. */
    let layers: readonly SnapshotId[];

    beforeAll(async () => {
      workshop = new Workshop(makeDriver);
      const top = await stackOf(
        workshop,
        Array.from({ length: LAYERS }, (_, layer) => [
          file("same", `${layer}`),
          file(`only-${layer}`),
          ...(layer > 0 ? [remove(`only-${layer - 1}`)] : []),
        ]),
      );
      layers = [top, ...workshop.snapshots.parents(top)].toReversed();
    }, PATIENCE);
    afterAll(() => {
      workshop.removeAll();
      expect(workshop.driver.list()).toEqual([]);
      workshop[Symbol.dispose]();
    }, PATIENCE);

    const shown = (depth: number) => ({ [`only-${depth - 1}`]: "", same: `${depth - 1}` });

    for (const depth of DEPTHS)
      it(`${depth} deep, and shows the nearest of each file`, () => {
        expect(workshop.mounted(layerAt(depth), readAll)).toEqual(shown(depth));
      });

    for (const depth of DEPTHS)
      it(`${depth} deep below a container`, () => {
        const id = createOn(workshop, layerAt(depth));
        const seen = writable(workshop, id, (path) => {
          writeFileSync(join(path, "new"), "written");
          return readAll(path);
        });
        expect(seen).toEqual({ ...shown(depth), new: "written" });
        workshop.snapshots.remove(id);
      });

    function layerAt(depth: number): SnapshotId {
      const id = layers[depth - 1];
      if (id === undefined) throw new Error(`there is no layer ${depth}`);
      return id;
    }
  });

  it(
    "stacks 128 containers that were committed, each on the one before",
    () => {
      using workshop = new Workshop(makeDriver);
      let parent: SnapshotId | null = null;
      for (let round = 0; round < 128; round++) {
        const id: SnapshotId = createOn(workshop, parent);
        writable(workshop, id, (path) => {
          writeFileSync(join(path, "same"), `${round}`);
          mkdirSync(join(path, `${round % 10}`), { recursive: true });
          writeFileSync(join(path, `${round % 10}/${round}`), "");
        });
        sealNow(workshop, id);
        parent = id;
      }
      const top = parent;
      if (top === null) throw new Error("there is no container");
      const seen = workshop.mounted(top, readAll);
      expect(seen["same"]).toBe("127");
      expect(Object.keys(seen).length).toBe(1 + 10 + 128);
    },
    PATIENCE,
  );
}
