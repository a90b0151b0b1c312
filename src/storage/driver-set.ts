import { existsSync } from "node:fs";
import { basename } from "node:path";
import { BtrfsDriver } from "../../drivers/btrfs/btrfs.ts";
import { DeviceMapperDriver } from "../../drivers/devicemapper/devicemapper.ts";
import type { ThinPool } from "../../drivers/devicemapper/thin-pool.ts";
import type { StorageDriver } from "../../drivers/driver.ts";
import { ErofsDriver } from "../../drivers/erofs/erofs.ts";
import { Overlay2Driver } from "../../drivers/overlay2/overlay2.ts";
import { VfsDriver } from "../../drivers/vfs/vfs.ts";
import { ZfsDriver } from "../../drivers/zfs/zfs.ts";
import type { DriverSource } from "../snapshot/driver-source.ts";
import { ThinDeviceIds } from "../snapshot/thin-device-ids.ts";
import { TsimgError } from "../sys/error.ts";
import { DRIVER_KINDS, type DriverKind, formatDriverName, parseDriverName } from "./driver-name.ts";
import { type Place, POOLS_FOR, placeOf } from "./place.ts";
import { PoolManager } from "./pool/pool-manager.ts";
import { withDevices } from "./pool/thin-pool.ts";
import type { StorageContext } from "./storage-context.ts";

/**
 * Every driver of a store by its name in the database, made when it is first asked for. A
 * driver on a pool attaches it.
 */
export class DriverSet implements DriverSource {
  private readonly context: StorageContext;
  private readonly made = new Map<string, StorageDriver>();

  constructor(context: StorageContext) {
    this.context = context;
  }

  get(name: string): StorageDriver {
    let driver = this.made.get(name);
    if (driver === undefined) {
      driver = this.make(name);
      this.made.set(name, driver);
    }
    return driver;
  }

  /**
   * Those that may have something on disk: named by a snapshot, or with a directory of their
   * own. One whose pool isn't attached has nothing that could be looked at, and is left out.
   */
  present(): readonly StorageDriver[] {
    return this.presentNames().map((name) => this.get(name));
  }

  private presentNames(): readonly string[] {
    const used = this.context.database
      .all<{ driver: string }>("select distinct driver from snapshots")
      .map(({ driver }) => driver);
    const onPools = this.pools.rows
      .all()
      .flatMap((pool) =>
        DRIVER_KINDS.filter((kind) => POOLS_FOR[kind].includes(pool.kind)).map((kind) =>
          formatDriverName({ kind, pool: pool.name }),
        ),
      );
    const names = new Set([...used, ...DRIVER_KINDS, ...onPools]);
    return [...names].filter((name) => this.isThere(name));
  }

  private isThere(name: string): boolean {
    try {
      const place = placeOf(this.context, parseDriverName(name));
      if (place === undefined) return false;
      const pool = "pool" in place ? place.pool : undefined;
      return (pool === undefined || this.pools.isAttached(pool)) && existsSync(place.home);
    } catch (error) {
      // A pool that is gone, a driver of another version: nothing to be looked at either.
      if (error instanceof TsimgError) return false;
      throw error;
    }
  }

  private make(text: string): StorageDriver {
    const name = parseDriverName(text);
    const place = placeOf(this.context, name);
    if (place === undefined)
      throw new TsimgError("ERR_DRIVER", `driver ${text} has no place by '${this.root}'`, {
        hint: "the configuration that gave it one has changed: put it back, or see tsimg doctor",
      });
    if ("pool" in place && place.pool !== undefined) this.pools.attach(place.pool);
    return this.build(name.kind, formatDriverName(name), place);
  }

  private build(kind: DriverKind, name: string, place: Place): StorageDriver {
    const { home } = place;
    const { drivers } = this.context.config.read();
    switch (kind) {
      case "btrfs":
        return new BtrfsDriver({
          name,
          home,
          ...(drivers.btrfs.quota !== undefined && { quota: drivers.btrfs.quota }),
        });
      case "zfs":
        return new ZfsDriver({
          name,
          dataset: place.at === "dataset" ? place.dataset : "",
          home,
          ...(drivers.zfs.properties !== undefined && { properties: drivers.zfs.properties }),
        });
      case "devicemapper":
        return this.buildDeviceMapper(name, place);
      case "overlay2":
        return new Overlay2Driver({ name, home });
      case "erofs":
        return new ErofsDriver({ name, home });
      case "vfs":
        return new VfsDriver({ name, home });
    }
  }

  private buildDeviceMapper(name: string, place: Place): StorageDriver {
    const { filesystem, size } = this.context.config.read().drivers.devicemapper;
    const pool = thinPoolAt(place);
    return new DeviceMapperDriver({
      name,
      pool,
      home: place.home,
      devices: new ThinDeviceIds(this.context.database, pool.name),
      ...(filesystem !== undefined && { filesystem }),
      ...(size !== undefined && { size }),
    });
  }

  private get pools(): PoolManager {
    return new PoolManager(this.context.database, this.context.paths);
  }

  private get root(): string {
    return this.context.paths.root;
  }
}

function thinPoolAt(place: Place): ThinPool {
  if (place.at === "pool") return withDevices(place.pool);
  if (place.at !== "devices") throw new TypeError(`device-mapper lies on no ${place.at}`);
  const { data, metadata } = place;
  return { name: basename(data).replace(/[^A-Za-z0-9_.-]/g, "_"), data, metadata };
}
