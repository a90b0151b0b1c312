import { lstatSync, readdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { zfsImplementation } from "../../drivers/zfs/implementation.ts";
import { ZfsDriver } from "../../drivers/zfs/zfs.ts";
import { openMount } from "../../src/sys/detached-mount.ts";
import { setXattr } from "../../src/sys/xattr.ts";
import { describeDriver } from "./describe-driver.ts";
import { ZFS_FUSE_DIFFERS } from "./keeps.ts";
import { missingForZfs, type TestPool, testPool } from "./support/zfs-fuse.ts";

const absent = missingForZfs();
let pool: TestPool;
let made = 0;

describe.skipIf(absent !== undefined)(
  absent === undefined ? "zfs" : `zfs (skipped: ${absent})`,
  () => {
    beforeAll(() => {
      pool = testPool(2048);
    });
    afterAll(() => pool?.[Symbol.dispose]());

    describeDriver("zfs", makeDriver, ZFS_FUSE_DIFFERS, "here");

    describe("names what keeps a dataset, and destroys nothing that isn't ours", () => {
      it("a foreign snapshot, of one and among many", () => {
        const { driver, dataset, ids } = stack(3);
        const [base, middle, top] = ids;
        pool.zfs("snapshot", `${dataset}/${middle}@autosnap_2026-01-01`);
        expect(() => driver.destroy([top, middle, base])).toThrow(
          expect.objectContaining({
            code: "ERR_IN_USE",
            message: expect.stringContaining(`'${dataset}/${middle}@autosnap_2026-01-01'`),
            hint: expect.stringContaining(`zfs destroy ${dataset}/${middle}@autosnap`),
          }),
        );
        // What nothing stands on is gone; what something stands on is not.
        expect([...driver.list()].sort()).toEqual([base, middle].sort());
        expect(() => driver.destroy([middle])).toThrow("autosnap_2026-01-01");
        pool.zfs("destroy", `${dataset}/${middle}@autosnap_2026-01-01`);
        driver.destroy([middle, base]);
        expect(driver.list()).toEqual([]);
      });

      it("a foreign clone, anywhere in the pool", () => {
        const { driver, dataset, ids } = stack(2);
        const [base, top] = ids;
        const clone = `${pool.name}/someone-elses`;
        pool.zfs("clone", "-o", "mountpoint=none", `${dataset}/${base}@tsimg-seal`, clone);
        expect(() => driver.destroy([top, base])).toThrow(`'${clone}' is a clone`);
        expect(driver.list()).toEqual([base]);
        expect(pool.zfs("list", "-H", "-o", "name", clone)).toBe(`${clone}\n`);
        pool.zfs("destroy", clone);
        driver.destroy([base]);
      });

      it("a child, and a clone of a snapshot of ours that is not among those to go", () => {
        const { driver, dataset, ids } = stack(3);
        const [base, middle, top] = ids;
        pool.zfs("create", "-o", "mountpoint=none", `${dataset}/${top}/mine`);
        expect(() => driver.destroy([top])).toThrow(`'${dataset}/${top}/mine'`);
        expect(() => driver.destroy([middle, base])).toThrow(`'${dataset}/${top}' is a clone`);
        pool.zfs("destroy", `${dataset}/${top}/mine`);
        driver.destroy([top, middle, base]);
      });

      it("a hold", () => {
        const { driver, dataset, ids } = stack(2);
        const [base, top] = ids;
        const snapshot = `${dataset}/${base}@tsimg-seal`;
        pool.zfs("hold", "backup", snapshot);
        expect(() => driver.destroy([top, base])).toThrow(
          expect.objectContaining({
            message: expect.stringContaining(`'${snapshot}' is held`),
            hint: expect.stringMatching(/^zfs release (backup|TAG) /),
          }),
        );
        pool.zfs("release", "backup", snapshot);
        driver.destroy([base]);
        expect(driver.list()).toEqual([]);
      });
    });

    describe("properties", () => {
      it("are those of the store, then those of the snapshot, and no auto-snapshots", () => {
        const properties = { compression: "gzip-1", recordsize: "16K" };
        const { driver, dataset } = place(properties);
        driver.create(idOf(1), [], { recordsize: "32k", size: "64M", reservation: "1M" });
        const names = "compression,recordsize,refquota,reservation,atime,com.sun:auto-snapshot";
        const got = pool.zfs("get", "-Hp", "-o", "value", names, `${dataset}/${idOf(1)}`);
        expect(got.trim().split("\n")).toEqual([
          "gzip-1",
          "32768",
          "67108864",
          "1048576",
          "off",
          "false",
        ]);
        driver.destroy([idOf(1)]);
      });

      it("a full quota is EDQUOT, and the rest of the pool isn't touched by it", () => {
        const { driver } = place();
        driver.create(idOf(1), [], { size: "8M" });
        const written = () =>
          inside(driver, idOf(1), (path) => {
            for (let n = 0; n < 64; n++)
              writeFileSync(
                join(path, `${n}`),
                crypto
                  .getRandomValues(new Uint8Array(65_536))
                  .toString()
                  .slice(0, 1 << 18),
              );
          });
        expect(written).toThrow(expect.objectContaining({ errno: -constants.errno.EDQUOT }));
        driver.create(idOf(2), []);
        inside(driver, idOf(2), (path) => writeFileSync(join(path, "f"), "x"));
        driver.destroy([idOf(1), idOf(2)]);
      });
    });

    it("a step takes one command, and many datasets go by a few", () => {
      const { driver, ids } = stack(1);
      const spawn = vi.spyOn(process.getBuiltinModule("node:child_process"), "spawnSync");
      using _spy = { [Symbol.dispose]: () => spawn.mockRestore() };
      const commands = (action: () => void) => {
        spawn.mockClear();
        action();
        return spawn.mock.calls.length;
      };
      const containers = Array.from({ length: 30 }, (_, index) => idOf(100 + index));
      for (const id of containers) expect(commands(() => driver.create(id, ids))).toBe(1);
      expect(commands(() => driver.list().concat(driver.list()))).toBe(1);
      expect(commands(() => driver.seal(idOf(100)))).toBe(1);
      // One or two; more while zfs-fuse still finds one of them busy.
      expect(commands(() => driver.destroy([...containers, ...ids]))).toBeLessThan(20);
      expect(driver.list()).toEqual([]);
    });

    it("an access list that says no more than a mode sets that mode, but not with zfs-fuse", () => {
      // As cp -a and sed -i set it: struct posix_acl_xattr_header and three entries, of mode 644.
      const entries = [0x01, 6, 0x04, 4, 0x20, 4].map((value) => [value, 0]);
      const header = [2, 0, 0, 0];
      const [owner, group, other] = [entries.slice(0, 2), entries.slice(2, 4), entries.slice(4)];
      const noId = [0xff, 0xff, 0xff, 0xff];
      const list = [header, owner, noId, group, noId, other, noId].flat(2);
      const { driver } = place();
      driver.create(idOf(1), []);
      const mode = inside(driver, idOf(1), (path) => {
        writeFileSync(join(path, "f"), "", { mode: 0o600 });
        setXattr(join(path, "f"), "system.posix_acl_access", Buffer.from(list));
        return lstatSync(join(path, "f")).mode & 0o777;
      });
      expect(mode.toString(8)).toBe(zfsImplementation() === "fuse" ? "600" : "644");
      driver.destroy([idOf(1)]);
    });

    it("a dataset that was made but not mounted, or not sealed, is found and destroyed", () => {
      const { driver, dataset, ids } = stack(1);
      const half = `${dataset}/${idOf(77)}`;
      pool.zfs("clone", "-o", "mountpoint=none", `${dataset}/${ids[0]}@tsimg-seal`, half);
      expect([...driver.list()].sort()).toEqual([...ids, idOf(77)].sort());
      driver.destroy([idOf(77), ...ids]);
      expect(driver.list()).toEqual([]);
    });

    it("what was made by one driver is used by another, as after a restart", () => {
      const { driver, dataset, home, ids } = stack(2);
      const again = new ZfsDriver({ name: "zfs", dataset, home });
      again.create(idOf(9), ids.toReversed());
      expect(inside(again, idOf(9), (path) => readdirSync(path).sort())).toEqual(["f0", "f1"]);
      driver.destroy([idOf(9), ...ids.toReversed()]);
      expect(again.list()).toEqual([]);
    });
  },
);

function makeDriver(): ZfsDriver {
  return place().driver;
}

/** A driver with a dataset and a directory of its own. */
function place(properties: Readonly<Record<string, string>> = {}) {
  made += 1;
  const dataset = `${pool.name}/n${made}/tsimg`;
  const home = join(pool.directory, `home ${made}`);
  return { driver: new ZfsDriver({ name: "zfs", dataset, home, properties }), dataset, home };
}

/** Sealed snapshots on top of each other, base first, with a file each. */
function stack(count: number) {
  const made = place();
  const ids = Array.from({ length: count }, (_, index) => idOf(index));
  ids.forEach((id, index) => {
    made.driver.create(id, ids.slice(0, index).toReversed());
    inside(made.driver, id, (path) => writeFileSync(join(path, `f${index}`), ""));
    made.driver.seal(id);
  });
  return { ...made, ids: ids as [SnapshotId, SnapshotId, SnapshotId] };
}

function inside<T>(driver: ZfsDriver, id: SnapshotId, action: (path: string) => T): T {
  driver.attach(id);
  using tree = openMount(driver.mounts(id, [], "rw"), "rw", () => pool.directory);
  return action(tree.path);
}

function idOf(index: number): SnapshotId {
  return index.toString(16).padStart(64, "0") as SnapshotId;
}
