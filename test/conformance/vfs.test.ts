import { lstatSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { reflinks } from "../../drivers/vfs/reflinks.ts";
import { VfsDriver } from "../../drivers/vfs/vfs.ts";
import { missing } from "../peers/requirements.ts";
import { describeDriver } from "./describe-driver.ts";
import { EXT4_TIMES } from "./keeps.ts";
import { type LoopFileSystem, loopFileSystem, programsFor } from "./support/loop-file-system.ts";

const absent = missing(programsFor("ext4"));

describe.skipIf(absent !== undefined)(
  absent === undefined ? "vfs on ext4" : `vfs on ext4 (skipped: ${absent})`,
  () => {
    let fs: LoopFileSystem;
    beforeAll(async () => {
      fs = await loopFileSystem("ext4", "3G");
    });
    afterAll(async () => {
      await fs?.[Symbol.asyncDispose]();
    });
    const makeDriver = () =>
      new VfsDriver({ name: "vfs", home: mkdtempSync(join(fs.path, "home-")) });

    describeDriver("vfs", makeDriver, { times: EXT4_TIMES, sharedSpace: false }, "here");

    it("copies whole files, since ext4 can't share their data", () => {
      expect(reflinks(fs.path)).toBe(false);
    });

    it("a copy that a crash cut short is no snapshot, but is found and removed", () => {
      const driver = makeDriver();
      const [base, half] = ["1", "2"].map((digit) => digit.repeat(64)) as [SnapshotId, SnapshotId];
      driver.create(base, []);
      writeFileSync(join(driver.home, base, "tree/file"), "");
      mkdirSync(join(driver.home, half, "copying/d"), { recursive: true });
      expect([...driver.list()].sort()).toEqual([base, half]);
      const [mount] = driver.mounts(half, [base], "rw");
      expect(() => lstatSync(mount?.source ?? "/")).toThrow(/ENOENT/);
      expect(() => driver.create(half, [base])).toThrow(/EEXIST/);
      driver.destroy([half, base]);
      expect(driver.list()).toEqual([]);
    });
  },
);
