import { lstatSync, mkdtempSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { reflinks } from "../../drivers/vfs/reflinks.ts";
import { VfsDriver } from "../../drivers/vfs/vfs.ts";
import { noise } from "../../fixtures/layers/odd-change.ts";
import { missing } from "../peers/requirements.ts";
import { describeDriver } from "./describe-driver.ts";
import { XFS_DIFFERS } from "./keeps.ts";
import { type LoopFileSystem, loopFileSystem, programsFor } from "./support/loop-file-system.ts";

const MEBIBYTE = 1 << 20;
const absent = missing(programsFor("xfs"));

describe.skipIf(absent !== undefined)(
  absent === undefined ? "vfs on xfs" : `vfs on xfs (skipped: ${absent})`,
  () => {
    let fs: LoopFileSystem;
    beforeAll(async () => {
      fs = await loopFileSystem("xfs", "2G");
    });
    afterAll(async () => {
      await fs?.[Symbol.asyncDispose]();
    });
    const makeDriver = () =>
      new VfsDriver({ name: "vfs", home: mkdtempSync(join(fs.path, "home-")) });

    describeDriver("reflink", makeDriver, XFS_DIFFERS, "here");

    it("copies share their data until one is written to", () => {
      expect(reflinks(fs.path)).toBe(true);
      const driver = makeDriver();
      const ids = ["1", "2", "3", "4"].map((digit) => digit.repeat(64) as SnapshotId);
      const [base, ...copies] = ids as [SnapshotId, SnapshotId, SnapshotId, SnapshotId];
      const big = (id: SnapshotId) => join(driver.home, id, "tree/big");
      driver.create(base, []);
      writeFileSync(big(base), noise(64 * MEBIBYTE));
      driver.seal();
      const before = usedBytes(fs.path);
      for (const id of copies) driver.create(id, [base]);
      expect(usedBytes(fs.path) - before).toBeLessThan(8 * MEBIBYTE);
      expect(lstatSync(big(copies[0])).size).toBe(64 * MEBIBYTE);
      writeFileSync(big(copies[0]), "changed");
      expect(readFileSync(big(base)).equals(noise(64 * MEBIBYTE))).toBe(true);
      driver.destroy(ids);
    });
  },
);

function usedBytes(path: string): number {
  const { blocks, bfree, bsize } = statfsSync(path);
  return (blocks - bfree) * bsize;
}
