import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BtrfsDriver, type BtrfsOptions } from "../../drivers/btrfs/btrfs.ts";
import { isBtrfs } from "../../drivers/btrfs/file-system.ts";
import type { SnapshotId } from "../../drivers/driver.ts";
import { noise } from "../../fixtures/layers/odd-change.ts";
import { createSubvolume, setReadOnly } from "../../src/sys/btrfs-ioctl.ts";
import { QUOTA_TREE, searchTree } from "../../src/sys/btrfs-tree.ts";
import { errorCode } from "../../src/sys/errno.ts";
import { openDirectory } from "../../src/sys/open-directory.ts";
import { missing } from "../peers/requirements.ts";
import { describeDriver } from "./describe-driver.ts";
import { KEEPS_ALL } from "./keeps.ts";
import { type LoopFileSystem, loopFileSystem, programsFor } from "./support/loop-file-system.ts";

const MEBIBYTE = 1 << 20;
const absent = missing([...programsFor("btrfs"), "btrfs"]);

describe.skipIf(absent !== undefined)(
  absent === undefined ? "btrfs" : `btrfs (skipped: ${absent})`,
  () => {
    let fs: LoopFileSystem;
    beforeAll(async () => {
      fs = await loopFileSystem("btrfs", "2G");
    });
    afterAll(async () => {
      await fs?.[Symbol.asyncDispose]();
    });

    const makeDriver = (options: Partial<BtrfsOptions> = {}) =>
      new BtrfsDriver({ name: "btrfs", home: mkdtempSync(join(fs.path, "home-")), ...options });

    describeDriver("btrfs", () => makeDriver(), { times: KEEPS_ALL.times }, "here");

    describe("subvolumes", () => {
      it("are read-only once sealed, and so is nothing that is made of them", () => {
        const driver = makeDriver();
        const [base, top] = [idOf(1), idOf(2)];
        driver.create(base, []);
        writeFileSync(join(driver.home, base, "a"), "1");
        driver.seal(base);
        expect(codeOf(() => writeFileSync(join(driver.home, base, "b"), ""))).toBe("EROFS");
        driver.create(top, [base]);
        writeFileSync(join(driver.home, top, "a"), "2");
        expect(readFileSync(join(driver.home, base, "a"), "utf8")).toBe("1");
        driver.destroy([top, base]);
        expect(driver.list()).toEqual([]);
      });

      it("made inside a snapshot go with it: nested, read-only, deeper than a path can be", () => {
        const driver = makeDriver();
        const [base, top] = [idOf(1), idOf(2)];
        driver.create(base, []);
        driver.seal(base);
        driver.create(top, [base]);
        const root = join(driver.home, top);
        const inside = nest(root, 3, true);
        writeFileSync(join(inside, "f"), Buffer.alloc(3 * MEBIBYTE, "x"));
        writeFileSync(join(root, "g"), Buffer.alloc(MEBIBYTE, "x"));
        const deep = join(root, "deep");
        mkdirSync(deep);
        // Names of 250 bytes: 20 of them are more than 4,096.
        const before = process.cwd();
        process.chdir(deep);
        for (let level = 0; level < 20; level++) {
          mkdirSync("d".repeat(250));
          process.chdir("d".repeat(250));
        }
        nest(".", 2, true);
        process.chdir(before);
        expect(driver.usage(top).bytes).toBeGreaterThanOrEqual(4 * MEBIBYTE);
        expect(driver.usage(base).bytes).toBeLessThan(MEBIBYTE);
        driver.seal(top);
        driver.destroy([top, base]);
        expect(driver.list()).toEqual([]);
        expect(subvolumesBelow(driver.home)).toEqual([]);
      });

      it("half made, plain directories and files in their place are found and destroyed", () => {
        const driver = makeDriver();
        const [plain, half, both, file, stranger] = [1, 2, 3, 4, 5].map(idOf);
        using home = openDirectory(driver.home);
        mkdirSync(join(driver.home, `${plain}/d`), { recursive: true });
        createSubvolume(home, `${half}.new`);
        driver.create(both as SnapshotId, []);
        createSubvolume(home, `${both}.new`);
        writeFileSync(join(driver.home, `${file}`), "");
        mkdirSync(join(driver.home, `${stranger}-of-somebody-else`));
        expect([...driver.list()].sort()).toEqual([plain, half, both, file]);
        driver.destroy(driver.list());
        expect(driver.list()).toEqual([]);
        rmSync(join(driver.home, `${stranger}-of-somebody-else`), { recursive: true });
      });

      it("count what was written since they were made, not what was there", () => {
        const driver = makeDriver();
        const [base, top] = [idOf(1), idOf(2)];
        driver.create(base, []);
        const path = (id: SnapshotId, name: string) => join(driver.home, id, name);
        for (let file = 0; file < 300; file++)
          writeFileSync(path(base, `${file}`), noise(8192 + file));
        driver.seal(base);
        driver.create(top, [base]);
        const untouched = driver.usage(top);
        expect(untouched.bytes).toBe(0);
        expect(untouched.inodes).toBeLessThanOrEqual(1);
        writeFileSync(path(top, "7"), noise(MEBIBYTE));
        writeFileSync(path(top, "small"), "inline");
        rmSync(path(top, "8"));
        const { bytes, inodes } = driver.usage(top);
        expect(bytes).toBe(MEBIBYTE + "inline".length);
        // The root, the file that changed and the new one.
        expect(inodes).toBe(3);
        expect(driver.usage(base).inodes).toBe(301);
        driver.destroy([top, base]);
      });

      it("can be made on nothing but btrfs, and the error says so", () => {
        const home = mkdtempSync(join(tmpdir(), "tsimg-no-btrfs-"));
        try {
          expect(isBtrfs(home)).toBe(false);
          const driver = new BtrfsDriver({ name: "btrfs", home });
          expect(() => driver.create(idOf(1), [])).toThrow(/is not on btrfs/);
          expect(driver.list()).toEqual([]);
        } finally {
          rmSync(home, { recursive: true });
        }
      });

      it("give their space back before `destroy` answers where there is little of it", async () => {
        await using small = await loopFileSystem("btrfs", "300M");
        const driver = new BtrfsDriver({ name: "btrfs", home: join(small.path, "home") });
        const free = () => {
          const { bavail, bsize } = statfsSync(small.path);
          return bavail * bsize;
        };
        for (let round = 0; round < 3; round++) {
          const id = idOf(round);
          driver.create(id, []);
          const fill = () => {
            for (let file = 0; ; file++)
              writeFileSync(join(driver.home, id, `${file}`), noise(4 * MEBIBYTE));
          };
          expect(codeOf(fill)).toBe("ENOSPC");
          expect(free()).toBeLessThan(20 * MEBIBYTE);
          driver.destroy([id]);
          expect(free()).toBeGreaterThan(80 * MEBIBYTE);
        }
      });
    });

    describe("quotas", () => {
      it("are off until a size is asked for", async () => {
        await using own = await loopFileSystem("btrfs", "300M");
        const driver = new BtrfsDriver({ name: "btrfs", home: join(own.path, "home") });
        const [base, top, tight] = [idOf(1), idOf(2), idOf(3)];
        driver.create(base, []);
        writeFileSync(join(driver.home, base, "image"), noise(4 * MEBIBYTE));
        driver.seal(base);
        expect(quotaGroups(driver.home)).toBeUndefined();
        driver.create(top, [base], { size: "10m" });
        expect(quotaGroups(driver.home)).toBeGreaterThan(0);
        const write = (name: string, size: number) => () => {
          writeFileSync(join(driver.home, top, name), noise(size));
          // Room is taken for good when the data gets its place.
          execFileSync("sync", ["-f", driver.home]);
        };
        write("fits", 4 * MEBIBYTE)();
        expect(write("too-much", 4 * MEBIBYTE)).toThrow(
          expect.objectContaining({ errno: -constants.errno.EDQUOT }),
        );
        expect(() => driver.create(tight, [base], { size: "2m" })).toThrow(/is too small/);
        expect(() => driver.create(tight, [base], { size: "2 miles" })).toThrow(/can't be/);
        expect([...driver.list()].sort()).toEqual([base, top]);
        driver.destroy([top, base]);
      });

      it("leave no group of a snapshot that is gone behind", async () => {
        await using own = await loopFileSystem("btrfs", "300M");
        const home = join(own.path, "home");
        const driver = new BtrfsDriver({ name: "btrfs", home, quota: true });
        driver.create(idOf(1), []);
        driver.seal(idOf(1));
        const before = quotaGroups(driver.home) ?? 0;
        for (let n = 2; n < 12; n++) driver.create(idOf(n), [idOf(1)]);
        expect(quotaGroups(driver.home)).toBe(before + 10);
        driver.destroy(driver.list().filter((id) => id !== idOf(1)));
        const left = () => {
          execFileSync("btrfs", ["filesystem", "sync", own.path], { stdio: "ignore" });
          return quotaGroups(driver.home);
        };
        await expect.poll(left, { timeout: 30_000 }).toBe(before);
      });
    });
  },
);

function idOf(index: number): SnapshotId {
  return index.toString(16).padStart(64, "0") as SnapshotId;
}

function codeOf(action: () => void): string | undefined {
  try {
    action();
  } catch (error) {
    return errorCode(error);
  }
  return "no error";
}

/** Subvolumes inside each other below `path`. @returns the innermost one */
function nest(path: string, levels: number, readOnly: boolean): string {
  using directory = openDirectory(path);
  createSubvolume(directory, "nested");
  const inner = join(path, "nested");
  const innermost = levels > 1 ? nest(inner, levels - 1, readOnly) : inner;
  if (readOnly && levels > 1) {
    using nested = openDirectory(inner);
    setReadOnly(nested, true);
  }
  return innermost;
}

function subvolumesBelow(path: string): readonly string[] {
  expect(lstatSync(path).isDirectory()).toBe(true);
  const text = execFileSync("btrfs", ["subvolume", "list", "-o", path], { encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}

/** How many quota groups there are; undefined when quotas are off. */
function quotaGroups(path: string): number | undefined {
  const INFO = 242;
  using directory = openDirectory(path);
  try {
    return [...searchTree(directory, { tree: QUOTA_TREE, objectId: 0, type: INFO })].length;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
