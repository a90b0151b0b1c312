import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { App } from "../../src/app.ts";
import { ConfigFiles } from "../../src/storage/config-file.ts";
import { DriverSet } from "../../src/storage/driver-set.ts";
import { PoolManager } from "../../src/storage/pool/pool-manager.ts";
import { randomHex } from "../../src/sys/random.ts";
import { missingForZfs, testPool } from "../conformance/support/zfs-fuse.ts";
import { missing } from "../peers/requirements.ts";
import { busyboxLayer, hasBusybox } from "./support/busybox-image.ts";
import { ImageServer } from "./support/image-server.ts";
import { lastingTraces } from "./support/leftovers.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const KINDS = {
  btrfs: { size: "256M", driver: "btrfs", absent: missing(["mkfs.btrfs", "mount"]) },
  xfs: { size: "320M", driver: "vfs", absent: missing(["mkfs.xfs", "mount"]) },
  ext4: { size: "64M", driver: "overlay2", absent: missing(["mkfs.ext4", "mount"]) },
  zfs: { size: "128M", driver: "zfs", absent: missingForZfs() },
} as const;

/** How often making and removing a pool is killed. */
const KILLS = Number(process.env["TSIMG_CRASH_RUNS"] ?? 10);

let directory: TemporaryDirectory;
let tsimg: Tsimg;
beforeEach(() => {
  directory = temporaryDirectory();
  tsimg = new Tsimg(join(directory.path, "store"));
});
afterEach(async () => {
  using gone = directory;
  const { stdout } = await tsimg.run("pool", "ls", "-q");
  const names = stdout.toString().split("\n").filter(Boolean);
  if (names.length > 0) await tsimg.run("pool", "rm", "-f", ...names);
  expect(await lastingTraces(gone.path)).toEqual([]);
});

const status = (name: string) =>
  tsimg
    .output("pool", "ls", "--format", "{{.Name}} {{.Status}}")
    .then((text) => text.split("\n").find((line) => line.startsWith(`${name} `)));

for (const [kind, { size, driver, absent }] of Object.entries(KINDS))
  describe.skipIf(absent !== undefined)(`a pool of ${kind} ${absent ?? ""}`, () => {
    // Starts a daemon where one is needed, and keeps it for the time of these tests.
    beforeEach((context) => {
      if (kind !== "zfs") return;
      const own = testPool(64);
      context.onTestFinished(() => own[Symbol.dispose]());
    });

    it("is made sparse, listed, attached again when it is needed, and taken away", async () => {
      expect(await tsimg.output("pool", "create", "p1", "--driver", kind, "--size", size)).toBe(
        "p1\n",
      );
      const file = join(tsimg.root, "pools/p1.img");
      expect(statSync(file).blocks * 512).toBeLessThan(statSync(file).size / 3);
      const list = await tsimg.output("pool", "ls");
      expect(list).toMatch(/^NAME +DRIVER +SIZE +USED +FILE +STATUS\n/);
      expect(list).toMatch(
        new RegExp(`\np1 +${kind} +[\\d.]+MB +[\\d.]+[kM]B +${file} +attached\n$`),
      );
      detach(kind);
      expect(await status("p1")).toBe("p1 detached");
      const id = withDrivers((drivers) => keep(drivers, `${driver}:p1`));
      expect(await status("p1")).toBe("p1 attached");
      detach(kind);
      withDrivers((drivers) => {
        const again = drivers.get(`${driver}:p1`);
        expect(again.list()).toEqual([id]);
        again.destroy([id]);
      });
      expect(await tsimg.output("pool", "rm", "--force", "p1")).toBe("p1\n");
      expect(existsSync(file)).toBe(false);
      expect(existsSync(join(tsimg.root, "pools/p1"))).toBe(false);
      expect(await tsimg.output("pool", "ls", "-q")).toBe("");
    });

    it(`killed at any moment leaves nothing (${KILLS} kills)`, async () => {
      const start = performance.now();
      await tsimg.output("pool", "create", "whole", "--driver", kind, "--size", size);
      const usual = performance.now() - start;
      for (let kill = 0; kill < KILLS; kill++) {
        const removes = kill % 2 === 1;
        const args = removes
          ? ["rm", "-f", "whole"]
          : ["create", "cut", "--driver", kind, "--size", size];
        await killAt(["pool", ...args], Math.random() * 1.1 * usual);
        const names = (await tsimg.output("pool", "ls", "-q")).split("\n").filter(Boolean);
        for (const name of names) expect(await status(name)).toBe(`${name} attached`);
        const cut = names.includes("cut");
        expect(existsSync(join(tsimg.root, "pools/cut.img"))).toBe(cut);
        if (cut) await tsimg.output("pool", "rm", "-f", "cut");
        if (!names.includes("whole"))
          await tsimg.output("pool", "create", "whole", "--driver", kind, "--size", size);
      }
    });
  });

describe.skipIf(KINDS.xfs.absent !== undefined)(`pools ${KINDS.xfs.absent ?? ""}`, () => {
  const create = (name: string, ...more: readonly string[]) =>
    tsimg.run("pool", "create", name, "--driver", "xfs", "--size", "320M", ...more);

  it("what can't be is refused, and leaves nothing", async () => {
    writeFileSync(join(directory.path, "mine"), "data");
    const mistakes: readonly [readonly string[], RegExp][] = [
      [["create", "Big!", "--driver", "xfs", "--size", "1G"], /'Big!' can't be the name/],
      [
        ["create", "x", "--driver", "xfs", "--size", "10M"],
        /too small\nhint: xfs takes at least 300M/,
      ],
      [["create", "x", "--driver", "xfs", "--size", "8000T"], /doesn't fit into .* are free\nhint/],
      [["create", "x", "--driver", "xfs", "--size", "many"], /invalid size "many"/],
      [["create", "x", "--driver", "ntfs", "--size", "1G"], /choices are zfs, btrfs, xfs, ext4/],
      [["create", "x", "--size", "1G"], /--driver is missing/],
      [["create", "x", "--driver", "xfs"], /--size is missing/],
      [
        ["create", "x", "--driver", "xfs", "--size", "1G", "--file", join(directory.path, "mine")],
        /mine' is there already/,
      ],
      [
        ["create", "x", "--driver", "xfs", "--size", "1G", "--file", "/no/such/x.img"],
        /no directory '\/no\/such'/,
      ],
      [["rm", "none"], /there is no pool 'none'/],
      [["grow", "x"], /there is no 'pool grow'\nhint: there are create, ls, rm/],
    ];
    for (const [args, words] of mistakes) {
      const { status, stderr } = await tsimg.run("pool", ...args);
      expect(stderr).toMatch(words);
      expect(status).toBeGreaterThan(0);
    }
    expect(await tsimg.output("pool", "ls", "-q")).toBe("");
    expect(statSync(join(directory.path, "mine")).size).toBe(4);
  });

  it("a name is given once; the file may lie elsewhere", async () => {
    const file = join(directory.path, "elsewhere.img");
    expect(await create("twice", "--file", file)).toMatchObject({ status: 0 });
    expect((await create("twice")).stderr).toMatch(/there is a pool 'twice' already/);
    expect(await tsimg.output("pool", "ls", "--format", "{{.File}}")).toBe(`${file}\n`);
    await tsimg.output("pool", "rm", "-f", "twice");
    expect(existsSync(file)).toBe(false);
  });

  it("one that holds something stays, and says what", async () => {
    await create("full");
    const id = "a".repeat(64) as SnapshotId;
    using app = new App({ root: tsimg.root });
    app.database.run(
      `insert into snapshots (id, driver, kind, state, created)
       values (?, 'vfs:full', 'committed', 'ready', '2026-01-01')`,
      id,
    );
    const refused = await tsimg.run("pool", "rm", "-f", "full");
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toMatch(/pool 'full' holds 1 snapshots/);
    expect(await status("full")).toBe("full attached");
    // Its file lost, the layers are lost with it: nothing is left to keep it for.
    spawnSync("umount", [join(tsimg.root, "pools/full")]);
    rmSync(join(tsimg.root, "pools/full.img"));
    expect(await status("full")).toBe("full its file is gone");
    await tsimg.output("pool", "rm", "-f", "full");
    expect(app.database.all("select * from snapshots")).toEqual([]);
  });

  it.skipIf(!hasBusybox())("an image and its container in it are named", async () => {
    await using server = await ImageServer.start();
    const image = server.add("pooled", { layers: [busyboxLayer()] });
    await create("full");
    const driver = ["--driver", "reflink:full"];
    await tsimg.output("pull", "-q", ...driver, image);
    expect(await tsimg.output("run", "--name", "user", ...driver, image, "echo", "runs")).toBe(
      "runs\n",
    );
    const drivers = (await tsimg.output("info", "--format", "{{json .Drivers}}")).trim();
    expect(JSON.parse(drivers)).toEqual([{ Name: "reflink:full", Layers: 1, Containers: 1 }]);
    const refused = () => tsimg.run("pool", "rm", "-f", "full").then(({ stderr }) => stderr);
    expect(await refused()).toBe(
      `tsimg: pool 'full' holds container 'user', image '${image}'\nhint: tsimg rm user\n`,
    );
    await tsimg.output("rm", "user");
    expect(await refused()).toMatch(/holds image '.*pooled.*'\nhint: tsimg rmi /);
    await tsimg.output("rmi", image);
    await tsimg.output("pool", "rm", "-f", "full");
  });

  it("a person is asked first; where nobody can be asked, nothing happens", async () => {
    await create("asked");
    const silent = await tsimg.run("pool", "rm", "asked");
    expect(silent.stderr).toMatch(/nobody can be asked here: say so with --force/);
    const command = tsimg.argv(["pool", "rm", "asked"]).join(" ");
    const answer = (text: string) =>
      spawnSync("script", ["-qec", command, "/dev/null"], { input: `${text}\n`, encoding: "utf8" });
    expect(answer("n").stdout).toMatch(/remove pool 'asked' and delete .*asked.img\? \[y\/N\]/);
    expect(await status("asked")).toBe("asked attached");
    answer("y");
    expect(await tsimg.output("pool", "ls", "-q")).toBe("");
  });

  it("freed space leaves its file", async () => {
    await create("thin");
    const inside = join(tsimg.root, "pools/thin/ballast");
    writeFileSync(inside, Buffer.alloc(64 << 20, 1));
    spawnSync("sync", ["-f", inside]);
    const file = join(tsimg.root, "pools/thin.img");
    const taken = () => statSync(file).blocks * 512;
    const before = taken();
    rmSync(inside);
    for (let wait = 0; wait < 100 && taken() > before - (48 << 20); wait++) {
      spawnSync("sync", ["-f", join(tsimg.root, "pools/thin")]);
      await sleep(50);
    }
    expect(before - taken()).toBeGreaterThan(48 << 20);
  });

  it("two commands attach it once", async () => {
    await create("shared");
    const point = join(tsimg.root, "pools/shared");
    detach("xfs", "shared");
    expect(lstatSync(point).dev).toBe(lstatSync(join(point, "..")).dev);
    await Promise.all([1, 2, 3].map(() => tsimg.run("doctor")));
    const mounts = spawnSync("findmnt", ["-rno", "TARGET", point], { encoding: "utf8" }).stdout;
    expect(mounts).toBe(`${point}\n`);
  });
});

/** As after a reboot. */
function detach(kind: string, name = "p1"): void {
  using app = new App({ root: tsimg.root });
  const pool = new PoolManager(app.database, app.paths).rows.ready(name);
  const command = kind === "zfs" ? ["zpool", "export", pool.hostName] : ["umount", pool.directory];
  const [program = "", ...args] = command;
  expect(spawnSync(program, args, { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
}

function withDrivers<T>(action: (drivers: DriverSet) => T): T {
  using app = new App({ root: tsimg.root });
  const { paths, database } = app;
  return action(new DriverSet({ paths, database, config: new ConfigFiles({}) }));
}

/** Makes a snapshot that stays. */
function keep(drivers: DriverSet, name: string): SnapshotId {
  const id = randomHex(64) as SnapshotId;
  const driver = drivers.get(name);
  if (driver.layers.form === "tree") mkdirSync(driver.home, { recursive: true });
  driver.create(id, []);
  return id;
}

async function killAt(args: readonly string[], delay: number): Promise<void> {
  const child = tsimg.start(...args);
  const ended = new Promise((resolve) => child.on("close", resolve));
  await sleep(delay);
  child.kill("SIGKILL");
  await ended;
}
