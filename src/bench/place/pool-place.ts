import { join } from "node:path";
import { fuseDaemon } from "../../../drivers/zfs/fuse-daemon.ts";
import { zfsImplementation } from "../../../drivers/zfs/implementation.ts";
import type { App } from "../../app.ts";
import { fileSystemOf } from "../../storage/file-system.ts";
import { loopDeviceOf } from "../../storage/pool/loop-pool.ts";
import type { Pool, PoolKind } from "../../storage/pool/pool.ts";
import { keeperOf, PoolManager } from "../../storage/pool/pool-manager.ts";
import { flushWhole } from "../../sys/freeze.ts";
import { syncFileSystem } from "../../sys/sync.ts";
import type { GivenPool } from "../workspace/given-pools.ts";
import { type CountedBy, readCounters } from "./counting.ts";
import { dropCaches } from "./drop-caches.ts";
import type { Place } from "./place.ts";
import { snapshotIds } from "./snapshot-ids.ts";
import type { BenchDriver, PlaceWish } from "./wishes.ts";

/** What a driver is measured on when nothing else is said: the file system it is used with. */
const USUAL_POOL: Readonly<Record<BenchDriver, PoolKind>> = {
  overlay2: "ext4",
  erofs: "ext4",
  vfs: "ext4",
  reflink: "xfs",
  btrfs: "btrfs",
  zfs: "zfs",
  devicemapper: "devicemapper",
};

const FUSE_NOTE = "served by a FUSE daemon (zfs-fuse): says nothing of ZFS in the kernel";

/**
 * Makes a file-backed pool in the bench's store, and a place on it. It goes with the store.
 * @param size of the pool in bytes
 * @param seed of what is random about it: names of snapshots, and where they lie
 * @throws TsimgError when this machine can't have it, with the cure
 */
export function makePoolPlace(app: App, wish: PlaceWish, size: number, seed: number): Place {
  const manager = new PoolManager(app.database, app.paths);
  const name = wish.copy === 1 ? wish.kind : `${wish.kind}-${wish.copy}`;
  const kind = USUAL_POOL[wish.kind];
  const pool = manager.create({ name, kind, size, formatOptions: sameLayout(kind, seed) });
  const driverName = `${wish.kind === "reflink" ? "vfs" : wish.kind}:${pool.name}`;
  return placeOn(app, pool, { wish, driverName, seed });
}

/** A place in a corner of a pool of the user's, which the bench's configuration names. */
export function givenPoolPlace(
  app: App,
  wish: PlaceWish,
  { kind, pool }: GivenPool,
  seed: number,
): Place {
  return placeOn(app, pool, { wish, driverName: kind, seed });
}

interface PlaceWords {
  readonly wish: PlaceWish;
  readonly driverName: string;
  readonly seed: number;
}

function placeOn(app: App, pool: Pool, { wish, driverName, seed }: PlaceWords): Place {
  const isFuse = pool.kind === "zfs" && zfsImplementation() === "fuse";
  const countedBy: CountedBy = {
    device: pool.kind === "zfs" ? undefined : loopDeviceOf(pool.file),
    daemon: isFuse ? fuseDaemon() : undefined,
  };
  return {
    name: nameOf(wish, isFuse),
    driver: app.snapshots.driver(driverName),
    driverName,
    backing: backingOf(pool, isFuse),
    notes: isFuse ? [FUSE_NOTE] : [],
    nextId: snapshotIds(seed),
    views: join(app.paths.root, "views"),
    settle: () => syncFileSystem(pool.directory),
    chill() {
      // What a journal still holds can't be dropped. A pool without a mount of its own lies on
      // the host's file system, which must not be frozen.
      if (isMounted(pool)) flushWhole(pool.directory);
      dropCaches();
    },
    space() {
      const { used, inodes } = keeperOf(pool.kind).usage(pool);
      return { bytes: used, inodes: inodes?.used };
    },
    counters: () => readCounters(countedBy),
  };
}

function nameOf({ kind, pool, copy }: PlaceWish, isFuse: boolean): string {
  const place = pool === undefined ? kind : `${kind}:${pool}`;
  return `${place}${isFuse ? " (FUSE)" : ""}${copy === 1 ? "" : ` #${copy}`}`;
}

/** ext4 places directories by a hash of their names, with a seed that is random otherwise. */
function sameLayout(kind: PoolKind, seed: number): readonly string[] {
  if (kind !== "ext4") return [];
  const digits = seed.toString(16).padStart(12, "0");
  return ["-E", `hash_seed=74736d67-0000-4000-8000-${digits}`];
}

function isMounted({ kind, directory }: Pool): boolean {
  return fileSystemOf(directory).type === kind && kind !== "zfs";
}

function backingOf(pool: Pool, isFuse: boolean) {
  const below = fileSystemOf(pool.file);
  const mounted = fileSystemOf(pool.directory);
  const gibibytes = Math.round((pool.size / 2 ** 30) * 10) / 10;
  return {
    fileSystem: isFuse ? "zfs-fuse" : pool.kind,
    mountOptions:
      mounted.type === pool.kind ? mounted.options : "each snapshot is mounted by itself",
    device: `a sparse file of ${gibibytes} GiB on ${below.type} (${below.source})`,
  };
}
