import { describe, expect, it } from "vitest";
import { missing } from "../peers/requirements.ts";
import { CASES } from "./cases.ts";
import { describeLifecycle } from "./lifecycle.ts";
import { applyLayer, type ModelDirectory } from "./model.ts";
import { describeRandomLayers } from "./random-layers.ts";
import { differences, linesOfModel } from "./tree-lines.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";

/**
 * What every storage driver has to do: `describeDriver("overlay2", (root) => new …(root))`.
 *
 * Each case is applied to the driver and to a model of the rules; no expected trees are kept.
 */
export function describeDriver(name: string, makeDriver: MakeDriver): void {
  const absent = missing([]);
  const title = absent === undefined ? `driver ${name}` : `driver ${name} (skipped: ${absent})`;
  describe.skipIf(absent !== undefined)(title, () => {
    describe("shows the tree that the layers make", () => {
      for (const [title, layers] of Object.entries(CASES))
        it(title, async () => {
          using workshop = new Workshop(makeDriver);
          const top = await workshop.stack(layers);
          const model = layers.reduce<ModelDirectory | undefined>(applyLayer, undefined);
          if (top === null || model === undefined) throw new Error("the case has no layers");
          expect(differences(linesOfModel(model), workshop.look(top))).toEqual([]);
        });
    });
    describeRandomLayers(makeDriver);
    describeLifecycle(makeDriver);
  });
}
