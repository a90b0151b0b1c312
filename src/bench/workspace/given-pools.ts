import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { App } from "../../app.ts";
import type { DriverKind } from "../../storage/driver-name.ts";
import { POOLS_FOR } from "../../storage/place.ts";
import type { Pool } from "../../storage/pool/pool.ts";
import { PoolManager } from "../../storage/pool/pool-manager.ts";
import { TsimgError } from "../../sys/error.ts";
import { onHost } from "../../sys/host-namespace.ts";
import { runProgram } from "../../sys/run-program.ts";
import type { PlaceWish } from "../place/wishes.ts";

/** A pool of the user's store to work in, and the driver that does. */
export interface GivenPool {
  readonly kind: DriverKind;
  readonly pool: Pool;
}

/**
 * Prepares the pools that wishes name: each driver gets a corner of its pool, by the
 * configuration of the bench's store. To be called before anything reads that.
 *
 * @param workspace directory of the bench
 * @param root of the user's store
 * @throws TsimgError ERR_DRIVER, ERR_USAGE for a pool that isn't there or can't be used
 */
export function prepareGivenPools(
  workspace: string,
  root: string,
  wishes: readonly PlaceWish[],
): ReadonlyMap<PlaceWish, GivenPool> {
  const given = new Map<PlaceWish, GivenPool>();
  const sections = new Map<DriverKind, string>();
  for (const wish of wishes) {
    if (wish.pool === undefined) continue;
    const kind = wish.kind === "reflink" ? "vfs" : wish.kind;
    if (sections.has(kind) || kind === "devicemapper")
      throw new TsimgError("ERR_USAGE", `driver ${wish.kind} can't be measured on '${wish.pool}'`, {
        hint: "each driver but devicemapper takes one pool of yours in a bench, and any number of its own",
      });
    const pool = attachedPool(root, wish.pool, kind);
    sections.set(kind, cornerOf(pool, `tsimg-bench-${basename(workspace)}-${kind}`));
    given.set(wish, { kind, pool });
  }
  const text = [...sections].map(([kind, line]) => `[drivers.${kind}]\n${line}\n`);
  if (text.length > 0) writeFileSync(join(workspace, "config.toml"), text.join(""));
  return given;
}

/** Takes a bench's corners of such pools away, with all that is in them. */
export function clearGivenPools({ config, snapshots }: App): void {
  const { drivers } = config.read();
  for (const kind of ["overlay2", "erofs", "vfs", "btrfs"] as const) {
    const { path } = drivers[kind];
    if (path === undefined || !existsSync(path)) continue;
    const driver = snapshots.driver(kind);
    driver.destroy(driver.list());
    rmSync(path, { recursive: true, force: true });
  }
  const { dataset } = drivers.zfs;
  if (dataset === undefined) return;
  const driver = snapshots.driver("zfs");
  driver.destroy(driver.list());
  runProgram(onHost(["zfs", "destroy", "-r", dataset]));
}

function attachedPool(root: string, name: string, kind: DriverKind): Pool {
  using app = new App({ root });
  const manager = new PoolManager(app.database, app.paths);
  const pool = manager.rows.ready(name);
  if (!POOLS_FOR[kind].includes(pool.kind))
    throw new TsimgError("ERR_DRIVER", `driver ${kind} can't use ${pool.kind} pool '${name}'`, {
      hint: `it lies on a pool of ${POOLS_FOR[kind].join(" or ")}`,
    });
  manager.attach(pool);
  return pool;
}

/** A line of configuration. */
function cornerOf(pool: Pool, name: string): string {
  if (pool.kind === "zfs") return `dataset = ${JSON.stringify(`${pool.hostName}/${name}`)}`;
  const path = join(pool.directory, name);
  mkdirSync(path);
  return `path = ${JSON.stringify(path)}`;
}
