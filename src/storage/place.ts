import { join } from "node:path";
import { TsimgError } from "../sys/error.ts";
import type { DriverName } from "./driver-name.ts";
import { fileSystemType, zfsDatasetOf } from "./file-system.ts";
import type { Pool, PoolKind } from "./pool/pool.ts";
import { PoolRows } from "./pool/pool-rows.ts";
import type { StorageContext } from "./storage-context.ts";

/** Where a driver keeps its snapshots. A pool is to be attached before. */
export type Place =
  | { readonly at: "directory"; readonly home: string; readonly pool?: Pool }
  | {
      readonly at: "dataset";
      readonly dataset: string;
      readonly home: string;
      readonly pool?: Pool;
    }
  | { readonly at: "pool"; readonly home: string; readonly pool: Pool }
  | {
      readonly at: "devices";
      readonly home: string;
      readonly data: string;
      readonly metadata: string;
    };

/** What kinds of pool a driver can lie on. */
export const POOLS_FOR: Readonly<Record<DriverName["kind"], readonly PoolKind[]>> = {
  overlay2: ["ext4", "xfs", "btrfs"],
  erofs: ["ext4", "xfs", "btrfs"],
  vfs: ["xfs", "btrfs", "ext4"],
  btrfs: ["btrfs"],
  zfs: ["zfs"],
  devicemapper: ["devicemapper"],
};

/**
 * Where the driver of that name lies: by its pool, by the configuration, by the root.
 * @returns undefined for a driver without a pool that nothing gives a place
 * @throws TsimgError ERR_DRIVER when there is no such pool, or one that the driver can't use
 */
export function placeOf(context: StorageContext, name: DriverName): Place | undefined {
  return name.pool === undefined ? ownPlace(context, name.kind) : poolPlace(context, name);
}

function poolPlace(context: StorageContext, { kind, pool: poolName }: DriverName): Place {
  const pool = new PoolRows(context.database, context.paths).ready(poolName ?? "");
  if (!POOLS_FOR[kind].includes(pool.kind))
    throw new TsimgError(
      "ERR_DRIVER",
      `driver ${kind} can't use ${pool.kind} pool '${pool.name}'`,
      {
        hint: `it lies on a pool of ${POOLS_FOR[kind].join(" or ")}`,
      },
    );
  if (pool.kind === "zfs")
    return { at: "dataset", dataset: `${pool.hostName}/tsimg`, home: pool.directory, pool };
  if (pool.kind === "devicemapper") return { at: "pool", home: pool.directory, pool };
  return { at: "directory", home: join(pool.directory, kind), pool };
}

function ownPlace({ paths, config }: StorageContext, kind: DriverName["kind"]): Place | undefined {
  const { drivers } = config.read();
  const home = join(paths.root, kind);
  if (kind === "zfs") {
    const root = drivers.zfs.dataset === undefined ? zfsDatasetOf(paths.root) : undefined;
    const dataset = drivers.zfs.dataset ?? (root === undefined ? undefined : `${root}/tsimg`);
    return dataset === undefined ? undefined : { at: "dataset", dataset, home };
  }
  if (kind === "devicemapper") {
    const { data_device: data, metadata_device: metadata } = drivers.devicemapper;
    if (data === undefined || metadata === undefined) return undefined;
    return { at: "devices", data, metadata, home };
  }
  const path = drivers[kind].path;
  if (path !== undefined) return { at: "directory", home: join(path, kind) };
  if (kind === "btrfs" && fileSystemType(paths.root) !== "btrfs") return undefined;
  return { at: "directory", home };
}
