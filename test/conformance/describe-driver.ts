import { tmpdir } from "node:os";
import { describe, it } from "vitest";
import { missing } from "../peers/requirements.ts";
import { CASES } from "./cases.ts";
import { describeCopyUp } from "./copy-up.ts";
import { describeDepth } from "./depth.ts";
import { KEEPS_ALL, type Keeps, timesAt } from "./keeps.ts";
import { describeLifecycle } from "./lifecycle.ts";
import { describeLimits } from "./limits.ts";
import { applyLayer, type ModelDirectory } from "./model.ts";
import { describeRandomLayers } from "./random-layers.ts";
import { describeRandomRounds } from "./random-rounds.ts";
import { describeRounds } from "./rounds.ts";
import { expectSame, linesOfModel } from "./tree-lines.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";

/**
 * What every storage driver has to do: `describeDriver("overlay2", (root) => new …(root))`.
 *
 * Each case is applied to the driver and to a model of the rules, or to a plain directory; no
 * expected trees are kept.
 *
 * Times are by default those that the file system of temporary files keeps.
 *
 * @param differs what the file system under it keeps otherwise than Linux's own do
 * @param unpacked by an unpack process for each layer, as a pull does, or by this process,
 *        which is many times as fast and tells as much of a driver
 */
export function describeDriver(
  name: string,
  makeDriver: MakeDriver,
  differs: Partial<Keeps> = {},
  unpacked: "confined" | "here" = "confined",
): void {
  const keeps = { ...KEEPS_ALL, times: timesAt(tmpdir()), ...differs };
  const absent = missing([]);
  const title = absent === undefined ? `driver ${name}` : `driver ${name} (skipped: ${absent})`;
  describe.skipIf(absent !== undefined)(title, () => {
    describe("shows the tree that the layers make", () => {
      for (const [title, layers] of Object.entries(CASES))
        it(title, async () => {
          using workshop = new Workshop(makeDriver);
          const top = await (unpacked === "here"
            ? workshop.stackHere(layers)
            : workshop.stack(layers));
          const model = layers.reduce<ModelDirectory | undefined>(applyLayer, undefined);
          if (top === null || model === undefined) throw new Error("the case has no layers");
          expectSame(linesOfModel(model, keeps), workshop.look(top));
          workshop.removeAll();
        });
    });
    describeLimits(makeDriver, keeps);
    describeRandomLayers(makeDriver, keeps);
    describeRounds(makeDriver, keeps);
    describeRandomRounds(makeDriver, keeps);
    describeCopyUp(makeDriver, keeps);
    describeLifecycle(makeDriver, keeps);
    describeDepth(makeDriver);
  });
}
