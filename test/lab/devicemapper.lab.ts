import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DeviceMapperDriver } from "../../drivers/devicemapper/devicemapper.ts";
import { devicesNamed } from "../../drivers/devicemapper/dmsetup.ts";
import {
  activateThinPool,
  createThinPool,
  deactivateThinPool,
  thinPoolStatus,
} from "../../drivers/devicemapper/thin-pool.ts";
import type { SnapshotId } from "../../drivers/driver.ts";
import { openMount } from "../../src/sys/detached-mount.ts";
import { sendTargetMessage } from "../../src/sys/device-mapper.ts";
import { runProgram } from "../../src/sys/run-program.ts";
import { type LoopPool, loopPool } from "./support/loop-pool.ts";
import { MemoryThinDevices } from "./support/memory-thin-devices.ts";

const MIB = 2 ** 20;

describe.for(["ext4", "xfs"] as const)("a thin pool of %s", (filesystem) => {
  const data = 512 * MIB;

  it("is formatted once, and found again by a driver after a reboot", () => {
    using place = loopPool("again", { data });
    createThinPool(place.pool, { filesystem });
    const driver = driverOn(place);
    const base = sealed(driver, 1, [], (root) => {
      expect(readdirSync(root)).toEqual([]);
      const { mode, mtimeMs } = statSync(root);
      expect([mode & 0o7777, mtimeMs]).toEqual([0o755, 0]);
      writeFileSync(join(root, "a"), "of the base");
    });
    deactivateThinPool("again");
    expect(devicesNamed("tsimg-again-")).toEqual([]);
    expect(inside(driver, base, "ro", (root) => readFileSync(join(root, "a"), "utf8"))).toBe(
      "of the base",
    );
    expect(() => createThinPool(place.pool)).toThrow(/there is something on/);
    driver.destroy([base]);
    expect(driver.list()).toEqual([]);
  });

  it("shares what snapshots have in common, and takes back what they wrote", () => {
    using place = loopPool("share", { data });
    const driver = driverOn(place, { filesystem });
    const before = usedAfter(place, driver, () => {});
    const base = sealed(driver, 1, [], (root) => writeFileSync(join(root, "big"), noise(64 * MIB)));
    const withBase = used(place);
    expect(withBase - before).toBeGreaterThan(60 * MIB);
    const children = [2, 3, 4].map((number) => {
      const id = idOf(number);
      driver.create(id, [base]);
      inside(driver, id, "rw", (root) => writeFileSync(join(root, `own-${number}`), "x"));
      return id;
    });
    expect(used(place) - withBase).toBeLessThan(16 * MIB);
    expect(driver.usage(idOf(2))).toMatchObject({ inodes: 1 });
    expect(driver.usage(idOf(2)).bytes).toBeLessThan(MIB);
    expect(driver.usage(base).bytes).toBeGreaterThan(63 * MIB);
    expect(inside(driver, base, "ro", names)).toEqual(["big"]);
    const file = statSync(place.file).blocks * 512;
    driver.destroy([...children, base]);
    expect(used(place)).toBeLessThan(before + 4 * MIB);
    expect(file - statSync(place.file).blocks * 512).toBeGreaterThan(60 * MIB);
    expect(devicesNamed("tsimg-share-")).toEqual(["tsimg-share-pool"]);
  });

  it("grows the file system of a snapshot with 'size', and never shrinks one", () => {
    using place = loopPool("sizes", { data });
    createThinPool(place.pool, { filesystem, size: 320 * MIB });
    const driver = driverOn(place);
    driver.create(idOf(1), []);
    driver.create(idOf(2), [], { size: "1G" });
    const size = (id: SnapshotId) =>
      inside(driver, id, "rw", (root) => {
        const { blocks, bsize } = statfsSync(root);
        return blocks * bsize;
      });
    expect(size(idOf(1))).toBeLessThan(320 * MIB);
    expect(size(idOf(2))).toBeGreaterThan(900 * MIB);
    expect(() => driver.create(idOf(3), [], { size: "100m" })).toThrow(/can only grow|too small/);
    expect(() => driver.create(idOf(4), [], { inodes: "5" })).toThrow(/no storage option 'inodes'/);
    driver.destroy([1, 2, 3, 4].map(idOf));
  });

  it("fails to seal what didn't fit into the pool, and works again once there is room", () => {
    using place = loopPool("over", { data });
    const driver = driverOn(place, { filesystem });
    const base = sealed(driver, 1, [], (root) => writeFileSync(join(root, "a"), noise(MIB)));
    for (const id of [2, 3].map(idOf)) driver.create(id, [base]);
    inside(driver, idOf(2), "rw", (root) => writeFileSync(join(root, "b"), noise(300 * MIB)));
    tryTo(() =>
      inside(driver, idOf(3), "rw", (root) => writeFileSync(join(root, "c"), noise(240 * MIB))),
    );
    expect(() => driver.seal(idOf(3))).toThrow(/thin pool 'over' is full: .* of data used/);
    driver.destroy([idOf(3), idOf(2)]);
    sealed(driver, 4, [base], (root) => writeFileSync(join(root, "d"), noise(100 * MIB)));
    driver.destroy([idOf(4), base]);
  });
});

describe("the devicemapper driver", () => {
  it("maps a sealed snapshot read-only, and one that is written to as it is", () => {
    using place = loopPool("modes", { data: 256 * MIB });
    const driver = driverOn(place);
    const base = sealed(driver, 1, [], (root) => writeFileSync(join(root, "a"), "1"));
    driver.create(idOf(2), [base]);
    const attributes = (id: SnapshotId) => {
      driver.attach(id);
      const device = driver.paths(id)["DeviceName"] ?? "";
      return runProgram(["dmsetup", "info", "-c", "--noheadings", "-o", "attr", device]).trim();
    };
    expect([base, idOf(2)].map(attributes)).toEqual(["L--r", "L--w"]);
    expect(inside(driver, idOf(2), "ro", names)).toEqual(["a"]);
    driver.seal(base);
    driver.destroy([idOf(2), base]);
  });

  it("refuses to seal what is still mounted, and names who has it", () => {
    using place = loopPool("busy", { data: 256 * MIB });
    const driver = driverOn(place);
    driver.create(idOf(1), []);
    const device = driver.paths(idOf(1))["DeviceName"] ?? "";
    driver.attach(idOf(1));
    const target = join(place.directory, "target");
    mkdirSync(target);
    runProgram(["mount", `/dev/mapper/${device}`, target]);
    expect(() => driver.seal(idOf(1))).toThrow(/is still in use by \d+ \(.*\) at/);
    expect(() => driver.destroy([idOf(1)])).toThrow(/is still in use/);
    runProgram(["umount", target]);
    driver.destroy([idOf(1)]);
    expect(driver.list()).toEqual([]);
  });

  it("has its devices' nodes when it answers, with udev running too", () => {
    using _udev = udev();
    using place = loopPool("udev", { data: 256 * MIB });
    const driver = driverOn(place);
    const base = sealed(driver, 1, [], (root) => writeFileSync(join(root, "a"), "1"));
    driver.create(idOf(2), [base]);
    for (const id of [idOf(2), base]) {
      driver.attach(id);
      const device = `/dev/mapper/${driver.paths(id)["DeviceName"]}`;
      expect(lstatSync(device).isBlockDevice()).toBe(true);
      driver.attach(id);
    }
    driver.destroy([idOf(2), base]);
    expect(readdirSync("/dev/mapper").filter((name) => /^tsimg-udev-\d/.test(name))).toEqual([]);
  });

  it("replaces what a crash has left under its number", () => {
    using place = loopPool("left", { data: 256 * MIB });
    const driver = driverOn(place);
    const base = sealed(driver, 1, [], (root) => writeFileSync(join(root, "a"), "1"));
    const devices = new MemoryThinDevices();
    const other = driverOn(place, { devices });
    const next = devices.allocate(idOf(2));
    sendTargetMessage("tsimg-left-pool", `create_thin ${next}`);
    devices.allocate(base);
    other.create(idOf(2), []);
    expect(inside(other, idOf(2), "rw", names)).toEqual([]);
    // A number without a device, and a device that went without its number.
    devices.allocate(idOf(3));
    other.destroy([idOf(2), idOf(3)]);
    other.destroy([idOf(2), idOf(3)]);
    driver.destroy([base]);
  });

  it("attaches a device that a killed dmsetup has half made", () => {
    using place = loopPool("half", { data: 256 * MIB });
    const driver = driverOn(place);
    const base = sealed(driver, 1, [], (root) => writeFileSync(join(root, "a"), "1"));
    const device = driver.paths(base)["DeviceName"] ?? "";
    runProgram(["dmsetup", "create", "--notable", device]);
    expect(inside(driver, base, "ro", names)).toEqual(["a"]);
    driver.destroy([base]);
    expect(devicesNamed("tsimg-half-")).toEqual(["tsimg-half-pool"]);
  });

  it("makes the base again when its making was cut short", () => {
    using place = loopPool("cut", { data: 256 * MIB });
    createThinPool(place.pool);
    sendTargetMessage("tsimg-cut-pool", "delete 0");
    sendTargetMessage("tsimg-cut-pool", "create_thin 16777215");
    const driver = driverOn(place);
    sealed(driver, 1, [], (root) => expect(readdirSync(root)).toEqual([]));
    driver.destroy([idOf(1)]);
  });

  it("refuses a snapshot in a pool that is almost full, with what of it is used", () => {
    using place = loopPool("full", { data: 256 * MIB });
    const driver = driverOn(place);
    const base = sealed(driver, 1, [], (root) => writeFileSync(join(root, "a"), noise(MIB)));
    for (const id of [2, 4].map(idOf)) {
      driver.create(id, [base]);
      inside(driver, id, "rw", (root) => writeFileSync(join(root, "b"), noise(114 * MIB)));
    }
    expect(() => driver.create(idOf(3), [base])).toThrow(
      /thin pool 'full' is almost full: 2\d\d\.\d of 268\.4 MB of data used/,
    );
    driver.destroy([2, 3, 4].map(idOf));
    driver.create(idOf(3), [base]);
    driver.destroy([idOf(3), base]);
  });

  it("doesn't activate a pool whose metadata is damaged", () => {
    using place = loopPool("damaged", { data: 256 * MIB });
    createThinPool(place.pool);
    deactivateThinPool("damaged");
    const file = join(place.directory, "metadata");
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 4096, 256 * 1024);
    writeFileSync(file, bytes);
    expect(() => activateThinPool(place.pool)).toThrow(
      /the metadata of thin pool 'damaged' is damaged/,
    );
    expect(thinPoolStatus("damaged")).toBeUndefined();
  });
});

/** The lab boots without udev, for speed. */
function udev(): Disposable {
  runProgram(["/lib/systemd/systemd-udevd", "--daemon"]);
  return {
    [Symbol.dispose]() {
      runProgram(["udevadm", "control", "--exit"]);
      // By this file dmsetup knows whether to wait for udev: without one, it would forever.
      rmSync("/run/udev/control", { force: true });
    },
  };
}

function driverOn(
  { pool, directory }: LoopPool,
  more: Partial<ConstructorParameters<typeof DeviceMapperDriver>[0]> = {},
): DeviceMapperDriver {
  const home = join(directory, "home");
  const devices = new MemoryThinDevices();
  return new DeviceMapperDriver({ name: "devicemapper", pool, home, devices, ...more });
}

/** A snapshot that `write` has filled, sealed. */
function sealed(
  driver: DeviceMapperDriver,
  number: number,
  parents: readonly SnapshotId[],
  write: (root: string) => void,
): SnapshotId {
  const id = idOf(number);
  driver.create(id, parents);
  inside(driver, id, "rw", write);
  driver.seal(id);
  return id;
}

function inside<T>(
  driver: DeviceMapperDriver,
  id: SnapshotId,
  mode: "ro" | "rw",
  action: (root: string) => T,
): T {
  driver.attach(id);
  using mount = openMount(driver.mounts(id), mode, () => {
    throw new Error("not needed here");
  });
  return action(mount.path);
}

function names(root: string): readonly string[] {
  return readdirSync(root);
}

function used({ pool }: LoopPool): number {
  return thinPoolStatus(pool.name)?.data.used ?? Number.NaN;
}

/** Bytes of data in use after the pool was made and `action` done. */
function usedAfter(place: LoopPool, driver: DeviceMapperDriver, action: () => void): number {
  driver.create(idOf(99), []);
  action();
  driver.destroy([idOf(99)]);
  return used(place);
}

function tryTo(action: () => void): void {
  try {
    action();
  } catch {
    // What it says depends on when the kernel writes.
  }
}

/** Bytes that no layer below can leave out. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at += 4096) {
    state = (state * 48271) % 0x7fffffff;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}

function idOf(number: number): SnapshotId {
  return number.toString(16).padStart(64, "0") as SnapshotId;
}
