import { existsSync } from "node:fs";
import { App } from "../../../src/app.ts";
import { keeperOf, PoolManager } from "../../../src/storage/pool/pool-manager.ts";
import { KEEPS_ALL, type Keeps, timesAt, ZFS_FUSE_DIFFERS } from "../../conformance/keeps.ts";
import { missingForZfs, testPool } from "../../conformance/support/zfs-fuse.ts";
import { missing } from "../../peers/requirements.ts";
import type { Tsimg } from "./tsimg.ts";

/** A driver at a place where it can work. */
export interface DriverPlace {
  /** What `--driver` takes. */
  readonly flag: string;
  /** What the database and the column DRIVERS call it. */
  readonly name: string;
  /** Why it can't be tried here; undefined when it can. */
  readonly absent: string | undefined;
  /** The pool that it lies on; without one it lies on the file system of the store. */
  readonly pool?: { readonly name: string; readonly kind: string; readonly size: string };
}

/** Every driver that can work without a kernel of its own kind. */
export const DRIVER_PLACES: readonly DriverPlace[] = [
  { flag: "overlay2", name: "overlay2", absent: missing([]) },
  { flag: "erofs", name: "erofs", absent: missing([]) },
  { flag: "vfs", name: "vfs", absent: missing([]) },
  onPool("reflink", "vfs", { name: "copies", kind: "xfs", size: "1G" }, missing(["mkfs.xfs"])),
  onPool("btrfs", "btrfs", { name: "trees", kind: "btrfs", size: "1G" }, missing(["mkfs.btrfs"])),
  onPool("zfs", "zfs", { name: "tank", kind: "zfs", size: "1G" }, missingForZfs()),
];

function onPool(
  word: string,
  driver: string,
  pool: { readonly name: string; readonly kind: string; readonly size: string },
  absent: string | undefined,
): DriverPlace {
  return { flag: `${word}:${pool.name}`, name: `${driver}:${pool.name}`, absent, pool };
}

/** What the file system under a driver of the store at `root` keeps of a tree. */
export function keptBy(place: DriverPlace, root: string): Keeps {
  if (place.pool === undefined) return { ...KEEPS_ALL, times: timesAt(root) };
  const isFuse = place.pool.kind === "zfs" && existsSync("/var/run/zfs/zfs_socket");
  return isFuse ? { ...KEEPS_ALL, ...ZFS_FUSE_DIFFERS } : KEEPS_ALL;
}

/**
 * Makes the pools that `places` need in one store; they go, and with them whatever still lies
 * there, when this is disposed of. A daemon that ZFS needs runs meanwhile.
 */
export async function makePools(
  tsimg: Tsimg,
  places: readonly DriverPlace[],
): Promise<AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  // The daemon stays for as long as there is a pool of a test.
  if (places.some(({ pool }) => pool?.kind === "zfs")) resources.use(testPool(64));
  resources.defer(() => removePools(tsimg));
  for (const { pool } of places)
    if (pool !== undefined)
      await tsimg.output("pool", "create", pool.name, "--driver", pool.kind, "--size", pool.size);
  return resources.move();
}

async function removePools(tsimg: Tsimg): Promise<void> {
  await tsimg.run("umount", "--all");
  await tsimg.clear().catch(() => undefined);
  const names = (await tsimg.output("pool", "ls", "-q")).split("\n").filter(Boolean);
  if (names.length === 0) return;
  const { status } = await tsimg.run("pool", "rm", "--force", ...names);
  if (status === 0) return;
  // Something is left in one of them, which is for the test to complain of.
  using app = new App({ root: tsimg.root });
  for (const pool of new PoolManager(app.database, app.paths).rows.all())
    keeperOf(pool.kind).release(pool);
}
