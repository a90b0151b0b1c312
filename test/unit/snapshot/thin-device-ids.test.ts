import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { SnapshotId } from "../../../drivers/driver.ts";
import { ThinDeviceIds } from "../../../src/snapshot/thin-device-ids.ts";
import { Database } from "../../../src/store/database.ts";
import { temporaryDirectory } from "../../system/support/temporary.ts";

it("gives each snapshot a number of its own, the lowest that is free, in each pool apart", () => {
  const action = fc.record({
    pool: fc.constantFrom("fast", "slow"),
    snapshot: fc.nat({ max: 8 }),
    free: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      using directory = temporaryDirectory();
      using database = new Database(join(directory.path, "tsimg.db"));
      const model = new Map([
        ["fast", new Map<SnapshotId, number>()],
        ["slow", new Map<SnapshotId, number>()],
      ]);
      for (const { pool, snapshot, free } of actions) {
        const id = `${pool}-${snapshot}` as SnapshotId;
        const expected = model.get(pool) ?? new Map<SnapshotId, number>();
        const ids = new ThinDeviceIds(database, pool);
        if (free) {
          expected.delete(id);
          ids.free(id);
        } else {
          expected.set(id, expected.get(id) ?? lowestFree([...expected.values()]));
          expect(ids.allocate(id)).toBe(expected.get(id));
        }
        expect(ids.of(id)).toBe(expected.get(id));
        expect(new Map(ids.all())).toEqual(expected);
      }
    }),
    { numRuns: 30 },
  );
});

function lowestFree(taken: readonly number[]): number {
  for (let number = 1; ; number++) if (!taken.includes(number)) return number;
}
