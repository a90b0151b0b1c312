import { statfsSync } from "node:fs";
import { discardDevice, flushDevice, isLoopDevice } from "../../src/sys/block-device.ts";
import { openMount } from "../../src/sys/detached-mount.ts";
import { sendTargetMessage } from "../../src/sys/device-mapper.ts";
import { errorCode, tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { growFileSystem } from "../../src/sys/grow-file-system.ts";
import type { MountSpec } from "../../src/sys/mount-spec.ts";
import type { SnapshotId, StorageDriver, StorageOptions, Usage } from "../driver.ts";
import { refuseOptions } from "../storage-options.ts";
import { type BaseFormat, thinMapping } from "./base-device.ts";
import { activateDevices, awaitClosed, devicePath, isActive, removeDevices } from "./dmsetup.ts";
import { deviceMount, type FileSystemType, fileSystemOn } from "./file-system.ts";
import { requireNotFull, requireRoom } from "./pool-status.ts";
import { parseSize } from "./size-option.ts";
import { readRecord, recorded, removeRecord, writeRecord } from "./snapshot-record.ts";
import type { ThinDevices } from "./thin-devices.ts";
import { BASE_ID, thinNames } from "./thin-names.ts";
import { openThinPool, type ThinPool, thinPoolStatus, withBase } from "./thin-pool.ts";

export interface DeviceMapperOptions {
  readonly name: string;
  readonly pool: ThinPool;
  /** A directory for what the devices don't say of themselves. */
  readonly home: string;
  readonly devices: ThinDevices;
  /** Of a pool that is made on first use, on blank devices. */
  readonly filesystem?: FileSystemType;
  /** Likewise: of its file systems, as `20G`; that of the data device unless said otherwise. */
  readonly size?: string;
}

/**
 * A thin device per snapshot, with a file system in it:
 *
 *     pool, device 0       an empty file system, formatted once
 *     pool, device N       a snapshot: of its parent's device, or of device 0
 *     <home>/<id>          what was in it when it was made, and when it was sealed
 *
 * `create` is one message to the pool, which does all or nothing. It needs no suspended
 * parent: that one is sealed, mounted and mapped read-only at most, so nothing is being
 * written to it. `seal` takes the device away, which nobody can do while it is mounted, and
 * then says so in the record. A number is freed in the database after its device is deleted.
 */
export class DeviceMapperDriver implements StorageDriver {
  readonly name: string;
  readonly home: string;
  readonly layers = { form: "tree" as const };
  private readonly options: DeviceMapperOptions;
  private readonly devices: ThinDevices;
  private readonly pool: string;
  private readonly names: ReturnType<typeof thinNames>;

  constructor(options: DeviceMapperOptions) {
    this.name = options.name;
    this.home = options.home;
    this.options = options;
    this.devices = options.devices;
    this.pool = options.pool.name;
    this.names = thinNames(this.pool);
  }

  create(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void {
    refuseOptions(this.name, options, ["size"]);
    const size = options["size"] === undefined ? undefined : parseSize(options["size"]);
    this.openPool();
    this.checkPool(requireRoom);
    const [parent] = parents;
    this.snapshot(id, parent);
    const below = parent === undefined ? this.measure(id) : readRecord(this.home, parent).sealed;
    writeRecord(this.home, id, { below: below ?? { bytes: 0, inodes: 0 } });
    if (size !== undefined) this.grow(id, size);
  }

  seal(id: SnapshotId): void {
    const { below, sealed } = readRecord(this.home, id);
    if (sealed !== undefined) return;
    // Twice, since a pool that is full may have lost what was written, now or at the flush.
    this.checkPool(requireNotFull);
    // Mounting it replays the journal that a killed machine has left.
    const all = this.measure(id);
    const name = this.names.device(this.deviceOf(id));
    flushDevice(devicePath(name));
    removeDevices([name]);
    this.checkPool(requireNotFull);
    writeRecord(this.home, id, { below, sealed: all });
  }

  attach(id: SnapshotId): void {
    this.openPool();
    const { sealed } = readRecord(this.home, id);
    activateDevices([thinMapping(this.pool, this.deviceOf(id), sealed !== undefined)]);
  }

  mounts(id: SnapshotId): readonly MountSpec[] {
    const device = devicePath(this.names.device(this.deviceOf(id)));
    const { sealed } = readRecord(this.home, id);
    const known = tolerating(["ENOENT"], () => fileSystemOn(device))?.type;
    const type = known ?? this.options.filesystem ?? "ext4";
    return [deviceMount(type, device, sealed !== undefined)];
  }

  destroy(ids: readonly SnapshotId[]): void {
    const going = ids.flatMap((id) => {
      const device = this.devices.of(id);
      return device === undefined ? [] : [[id, device] as const];
    });
    if (going.length > 0) this.destroyDevices(going);
    for (const id of ids) removeRecord(this.home, id);
  }

  list(): readonly SnapshotId[] {
    return [...new Set([...this.devices.all().keys(), ...recorded(this.home)])];
  }

  usage(id: SnapshotId): Usage {
    const { below, sealed } = readRecord(this.home, id);
    const all = sealed ?? this.measure(id);
    return {
      bytes: Math.max(0, all.bytes - below.bytes),
      inodes: Math.max(0, all.inodes - below.inodes),
    };
  }

  paths(id: SnapshotId): Readonly<Record<string, string>> {
    const device = this.devices.of(id);
    const names = { PoolName: this.names.pool };
    if (device === undefined) return names;
    return { ...names, DeviceId: `${device}`, DeviceName: this.names.device(device) };
  }

  private openPool(): void {
    if (!isActive(this.names.pool)) openThinPool(this.options.pool, this.format());
  }

  private format(): BaseFormat {
    const { filesystem, size } = this.options;
    return {
      ...(filesystem !== undefined && { filesystem }),
      ...(size !== undefined && { size: parseSize(size) }),
    };
  }

  private checkPool(check: typeof requireRoom): void {
    const status = thinPoolStatus(this.pool);
    if (status !== undefined) check(this.pool, status);
  }

  private deviceOf(id: SnapshotId): number {
    const device = this.devices.of(id);
    if (device !== undefined) return device;
    throw new TsimgError(
      "ERR_NO_SUCH_SNAPSHOT",
      `snapshot '${id}' has no device in pool '${this.pool}'`,
    );
  }

  private snapshot(id: SnapshotId, parent: SnapshotId | undefined): void {
    const device = this.devices.allocate(id);
    if (parent !== undefined) this.copy(device, this.deviceOf(parent));
    else withBase(this.options.pool, this.format(), () => this.copy(device, BASE_ID));
  }

  private copy(device: number, origin: number): void {
    const message = `create_snap ${device} ${origin}`;
    try {
      this.tell(message);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      // What a crash has left: this number is nobody else's.
      removeDevices([this.names.device(device)]);
      this.tell(`delete ${device}`);
      this.tell(message);
    }
  }

  private destroyDevices(going: readonly (readonly [SnapshotId, number])[]): void {
    this.openPool();
    const names = going.map(([, device]) => this.names.device(device));
    if (isLoopDevice(this.options.pool.data)) this.discard(going);
    removeDevices(names);
    for (const [id, device] of going) {
      tolerating(["ENODATA"], () => this.tell(`delete ${device}`));
      this.devices.free(id);
    }
  }

  /** Gives blocks back to the pool's file: those of a deleted device would stay in it. */
  private discard(going: readonly (readonly [SnapshotId, number])[]): void {
    const name = (device: number) => this.names.device(device);
    const sealed = going.filter(([id]) => readRecord(this.home, id).sealed !== undefined);
    // Mapped read-only, if at all.
    removeDevices(sealed.map(([, device]) => name(device)));
    try {
      activateDevices(going.map(([, device]) => thinMapping(this.pool, device)));
    } catch (error) {
      // One that was never made, say: it has no space to give back.
      if (!(error instanceof TsimgError)) throw error;
    }
    const active = going.map(([, device]) => name(device)).filter(isActive);
    awaitClosed(active);
    for (const path of active.map(devicePath)) {
      const { blocks, blockSize } = fileSystemOn(path) ?? { blocks: 0, blockSize: 0 };
      if (blocks > 0) discardDevice(path, blocks * blockSize);
    }
  }

  /** What is in a snapshot, that of its parents included. */
  private measure(id: SnapshotId): Usage {
    using mount = this.open(id);
    const { bsize, blocks, bfree, files, ffree } = statfsSync(mount.path);
    return { bytes: (blocks - bfree) * bsize, inodes: files - ffree };
  }

  /** @throws TsimgError ERR_USAGE when it is that large already */
  private grow(id: SnapshotId, bytes: number): void {
    using mount = this.open(id);
    const facts = fileSystemOn(devicePath(this.names.device(this.deviceOf(id))));
    if (facts === undefined) return;
    const { type, blocks, blockSize } = facts;
    if (bytes < blocks * blockSize)
      throw new TsimgError("ERR_USAGE", `storage option 'size' of ${bytes} bytes is too small`, {
        hint: `the file systems of pool '${this.pool}' have ${blocks * blockSize} bytes, and can only grow`,
      });
    const wanted = Math.floor(bytes / blockSize);
    if (wanted > blocks) growFileSystem(type, mount.path, wanted);
  }

  private open(id: SnapshotId) {
    this.attach(id);
    const [spec] = this.mounts(id);
    if (spec === undefined) throw new Error("there is no mount");
    return openMount([spec], spec.options.includes("ro") ? "ro" : "rw", () => {
      throw new TsimgError("ERR_KERNEL", "this kernel can't mount a device apart");
    });
  }

  private tell(message: string): void {
    try {
      sendTargetMessage(this.names.pool, message);
    } catch (error) {
      if (errorCode(error) !== "EOPNOTSUPP" && errorCode(error) !== "ENOTSUP") throw error;
      this.checkPool(requireNotFull);
      throw error;
    }
  }
}
