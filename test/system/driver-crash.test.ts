import { describe, it } from "vitest";
import { hasBusybox } from "./support/busybox-image.ts";
import { DRIVER_KINDS } from "./support/driver-places.ts";
import { killMany } from "./support/kill-many.ts";

/** How often commands are killed on each driver: a few here, TSIMG_CRASH_RUNS=200 for a whole test. */
const RUNS = Number(process.env["TSIMG_CRASH_RUNS"] ?? 8);

for (const kind of DRIVER_KINDS) {
  const absent = hasBusybox() ? kind.absent : "needs a static busybox";
  describe.skipIf(absent !== undefined)(`driver ${kind.title} ${absent ?? ""}`, () => {
    it(
      `is put right by the next command after SIGKILL (${RUNS} kills)`,
      () => killMany(kind, RUNS),
      120_000 + RUNS * 30_000,
    );
  });
}
