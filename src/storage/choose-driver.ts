import { join } from "node:path";
import { reflinks } from "../../drivers/vfs/reflinks.ts";
import { TsimgError } from "../sys/error.ts";
import { type DriverKind, formatDriverName, parseDriverName } from "./driver-name.ts";
import { fileSystemType, zfsDatasetOf } from "./file-system.ts";
import { overlayObstacle } from "./overlay-probe.ts";
import { POOLS_FOR, placeOf } from "./place.ts";
import type { Pool } from "./pool/pool.ts";
import { PoolRows } from "./pool/pool-rows.ts";
import type { StorageContext } from "./storage-context.ts";

/**
 * The driver that a command uses, by its name in the database: what `--driver` says, else
 * TSIMG_DRIVER, else the configuration, else what works at the root: overlay2, or btrfs or
 * zfs where the root lies on one and overlay2 can't work. Never vfs unless asked for: a full
 * copy of every layer is no choice to make for somebody.
 *
 * Costs two looks for configuration files and one statfs(2) in the usual case.
 * @throws TsimgError ERR_DRIVER when that is no driver, or it has no place here
 */
export function chooseDriver(
  context: StorageContext,
  flag?: string,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const variable = environment["TSIMG_DRIVER"];
  if (flag !== undefined) return resolveDriver(context, flag, "--driver");
  if (variable !== undefined && variable !== "")
    return resolveDriver(context, variable, "TSIMG_DRIVER");
  const configured = context.config.read().driver;
  if (configured !== undefined) return resolveDriver(context, configured, "the configuration");
  return probe(context);
}

/**
 * What a person calls a driver as the database does: `zfs` may become `zfs:fast`, `reflink`
 * is vfs at a place where copies share blocks.
 * @param source where the name comes from, for messages
 */
export function resolveDriver(context: StorageContext, text: string, source: string): string {
  const [, reflinkPool] = /^reflink(?::(.*))?$/s.exec(text) ?? [];
  if (reflinkPool !== undefined) {
    requireSharing(context, reflinkPool);
    return resolveDriver(context, `vfs:${reflinkPool}`, source);
  }
  if (text === "reflink") return resolveReflink(context);
  const name = parseDriverName(text, source);
  if (name.pool !== undefined) {
    placeOf(context, name);
    return formatDriverName(name);
  }
  const pool = context.config.read().drivers[name.kind].pool;
  if (pool !== undefined)
    return resolveDriver(context, `${name.kind}:${pool}`, "the configuration");
  if (placeOf(context, name) !== undefined) return name.kind;
  return onlyPool(context, name.kind, poolsOf(context, POOLS_FOR[name.kind]));
}

/** A driver's name for people: vfs is called reflink where its copies share blocks. */
export function shownDriver(context: StorageContext, name: string): string {
  const { kind, pool } = parseDriverName(name);
  if (kind !== "vfs") return name;
  const place = placeOf(context, { kind, pool });
  // A pool that isn't attached can't be tried.
  const onPool = place !== undefined && "pool" in place ? place.pool : undefined;
  const shares = onPool ? sharesBlocks(onPool) : place !== undefined && reflinks(place.home);
  return shares ? name.replace(/^vfs/, "reflink") : name;
}

function resolveReflink(context: StorageContext): string {
  const { pool, path } = context.config.read().drivers.vfs;
  if (pool !== undefined) return resolveDriver(context, `vfs:${pool}`, "the configuration");
  if (reflinks(path ?? context.paths.root)) return "vfs";
  const pools = poolsOf(context, POOLS_FOR.vfs).filter(sharesBlocks);
  // A btrfs pool has a driver of its own that does more: it is taken only for want of xfs.
  const xfs = pools.filter(({ kind }) => kind === "xfs");
  return onlyPool(context, "vfs", xfs.length > 0 ? xfs : pools);
}

/** Whether files on it can have blocks in common. */
function sharesBlocks({ kind }: Pool): boolean {
  return kind !== "ext4";
}

function requireSharing({ database, paths }: StorageContext, name: string): void {
  const pool = new PoolRows(database, paths).get(name);
  if (pool === undefined || sharesBlocks(pool)) return;
  throw new TsimgError("ERR_DRIVER", `copies on ${pool.kind} pool '${name}' share no blocks`, {
    hint: `have them copied in full: --driver vfs:${name}, or make a pool of xfs`,
  });
}

function poolsOf({ database, paths }: StorageContext, kinds: readonly string[]): readonly Pool[] {
  const all = new PoolRows(database, paths).all();
  return all.filter(({ kind, state }) => state === "ready" && kinds.includes(kind));
}

function onlyPool(context: StorageContext, kind: DriverKind, pools: readonly Pool[]): string {
  const [first, second] = pools;
  if (first !== undefined && second === undefined)
    return formatDriverName({ kind, pool: first.name });
  const root = context.paths.root;
  const what = kind === "vfs" ? "reflink" : kind;
  if (first !== undefined)
    throw new TsimgError("ERR_DRIVER", `there are several pools for driver ${what}`, {
      hint: `say which: ${pools.map(({ name }) => `--driver ${what}:${name}`).join(", ")}`,
    });
  const make = kind === "vfs" ? "xfs" : kind;
  const reason = kind === "vfs" ? "copies share no blocks" : "there is none";
  throw new TsimgError("ERR_DRIVER", `driver ${what} has no place: on '${root}' ${reason}`, {
    hint: `make a pool for it: tsimg pool create fast --driver ${make} --size 20G`,
  });
}

function probe(context: StorageContext): string {
  const { root } = context.paths;
  const pool = context.config.read().drivers.overlay2.pool;
  if (pool !== undefined) return resolveDriver(context, `overlay2:${pool}`, "the configuration");
  const place = placeOf(context, { kind: "overlay2", pool: undefined });
  const obstacle = overlayObstacle(place?.home ?? root, join(root, "cache"));
  if (obstacle === undefined) return "overlay2";
  const type = fileSystemType(root);
  if (type === "btrfs") return "btrfs";
  if (zfsDatasetOf(root) !== undefined) return "zfs";
  throw new TsimgError("ERR_DRIVER", `overlay2 can't work on '${root}' (${type}): ${obstacle}`, {
    hint: "make a pool (tsimg pool create fast --driver btrfs --size 20G), or have every layer copied in full: --driver vfs",
  });
}
