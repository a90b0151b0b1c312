import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseDriver, resolveDriver, shownDriver } from "../../../src/storage/choose-driver.ts";
import { ConfigFiles } from "../../../src/storage/config-file.ts";
import { formatDriverName, parseDriverName } from "../../../src/storage/driver-name.ts";
import type { PoolKind } from "../../../src/storage/pool/pool.ts";
import { PoolRows } from "../../../src/storage/pool/pool-rows.ts";
import type { StorageContext } from "../../../src/storage/storage-context.ts";
import { Database } from "../../../src/store/database.ts";
import { storePaths } from "../../../src/store/paths.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../system/support/temporary.ts";

describe("the choice of a driver", () => {
  let home: TemporaryDirectory;
  let database: Database;
  beforeEach(() => {
    home = temporaryDirectory();
    database = new Database(storePaths(home.path).database);
  });
  afterEach(() => {
    database[Symbol.dispose]();
    home[Symbol.dispose]();
  });

  function contextWith(config = ""): StorageContext {
    const file = join(home.path, "config.toml");
    writeFileSync(file, config);
    const paths = storePaths(home.path);
    return { paths, database, config: new ConfigFiles({ TSIMG_CONFIG: file }) };
  }

  function addPool(name: string, kind: PoolKind, ready = true): void {
    const rows = new PoolRows(database, storePaths(home.path));
    rows.insert(name, kind, join(home.path, name), 1);
    if (ready) rows.markReady(name);
  }

  it("the flag comes before the variable, that before the configuration, that before probing", () => {
    const context = contextWith('driver = "erofs"');
    expect(chooseDriver(context, "overlay2", { TSIMG_DRIVER: "vfs" })).toBe("overlay2");
    expect(chooseDriver(context, undefined, { TSIMG_DRIVER: "vfs" })).toBe("vfs");
    expect(chooseDriver(context, undefined, { TSIMG_DRIVER: "" })).toBe("erofs");
    expect(chooseDriver(contextWith(), undefined, {})).toBe("overlay2");
  });

  it("a wrong name is refused with where it came from and the names there are", () => {
    const all = /overlay2, erofs, btrfs, zfs, devicemapper, vfs, and reflink/;
    const cases = [
      ["--driver", () => chooseDriver(contextWith(), "aufs", {})],
      ["TSIMG_DRIVER", () => chooseDriver(contextWith(), undefined, { TSIMG_DRIVER: "aufs" })],
      ["the configuration", () => chooseDriver(contextWith('driver = "aufs"'), undefined, {})],
    ] as const;
    for (const [source, choose] of cases)
      expect(choose).toThrow(
        expect.objectContaining({
          code: "ERR_DRIVER",
          message: `there is no storage driver 'aufs' in ${source}`,
          hint: expect.stringMatching(all),
        }),
      );
  });

  it("without a pool's name the only pool is meant; of several none is", () => {
    const context = contextWith();
    const resolve = () => resolveDriver(context, "btrfs", "--driver");
    expect(resolve).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("pool create") }),
    );
    addPool("unfinished", "btrfs", false);
    addPool("other", "zfs");
    expect(resolve).toThrow(/has no place/);
    addPool("fast", "btrfs");
    expect(resolve()).toBe("btrfs:fast");
    addPool("slow", "btrfs");
    expect(resolve).toThrow(
      expect.objectContaining({
        message: "there are several pools for driver btrfs",
        hint: "say which: --driver btrfs:fast, --driver btrfs:slow",
      }),
    );
    expect(resolveDriver(context, "btrfs:slow", "--driver")).toBe("btrfs:slow");
    const configured = contextWith('[drivers.btrfs]\npool = "slow"');
    expect(resolveDriver(configured, "btrfs", "--driver")).toBe("btrfs:slow");
  });

  it("the place that the configuration gives comes before pools", () => {
    addPool("tank", "zfs");
    const context = contextWith('[drivers.zfs]\ndataset = "rpool/tsimg"');
    expect(resolveDriver(context, "zfs", "--driver")).toBe("zfs");
    expect(resolveDriver(context, "zfs:tank", "--driver")).toBe("zfs:tank");
  });

  it("a driver takes only pools that it can lie on", () => {
    addPool("tank", "zfs");
    addPool("copies", "xfs");
    addPool("plain", "ext4");
    const context = contextWith();
    const resolve = (name: string) => () => resolveDriver(context, name, "--driver");
    expect(resolve("btrfs:tank")).toThrow(/driver btrfs can't use zfs pool 'tank'/);
    expect(resolve("zfs:copies")).toThrow(/can't use xfs pool/);
    expect(resolve("zfs:none")).toThrow(
      expect.objectContaining({ hint: "there are copies, plain, tank" }),
    );
    expect(resolve("zfs:../x")).toThrow(/can't be the name of a pool/);
    expect(resolve("reflink:copies")()).toBe("vfs:copies");
    expect(resolve("reflink")()).toBe("vfs:copies");
    expect(resolve("vfs:plain")()).toBe("vfs:plain");
    expect(resolve("reflink:plain")).toThrow(/copies on ext4 pool 'plain' share no blocks/);
    expect(shownDriver(context, "vfs:plain")).toBe("vfs:plain");
    expect(shownDriver(context, "vfs:copies")).toBe("reflink:copies");
  });

  it("every name reads as it was written", () => {
    for (const name of ["overlay2", "zfs:tank", "vfs:a-b_c9", "devicemapper:0"])
      expect(formatDriverName(parseDriverName(name))).toBe(name);
    for (const name of ["", "zfs:", "zfs:A", "zfs:a:b", `zfs:${"a".repeat(33)}`, "OVERLAY2"])
      expect(() => parseDriverName(name)).toThrow();
  });
});
