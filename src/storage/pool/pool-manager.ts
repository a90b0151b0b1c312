import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { lockFile } from "../../sys/file-lock.ts";
import { requirePrograms } from "../../sys/run-program.ts";
import { checkPoolName } from "../driver-name.ts";
import { LoopPool } from "./loop-pool.ts";
import { type Pool, type PoolKeeper, type PoolKind, poolsDirectory } from "./pool.ts";
import { PoolRows } from "./pool-rows.ts";
import { forgetLayers, type PoolUsers, poolUsers } from "./pool-users.ts";
import { ThinPoolFiles } from "./thin-pool.ts";
import { ZfsPool } from "./zfs-pool.ts";

export interface PoolWish {
  readonly name: string;
  readonly kind: PoolKind;
  /** Bytes. */
  readonly size: number;
  /** Default: `<root>/pools/<name>.img`. */
  readonly file?: string | undefined;
  /** Options more for the program that makes the file system. */
  readonly formatOptions?: readonly string[];
}

/**
 * Pools, from wish to end:
 *
 *     create: row "creating" ──▶ files ──▶ formatted ──▶ row "ready"
 *     remove: row "removing" ──▶ detached ──▶ files deleted ──▶ no row
 *
 * What a dead process left in between is undone by `recover`: files come after their row and
 * go before it, so that the row always leads to them.
 */
export class PoolManager {
  readonly rows: PoolRows;
  private readonly database: Database;
  private readonly paths: StorePaths;

  constructor(database: Database, paths: StorePaths) {
    this.rows = new PoolRows(database, paths);
    this.database = database;
    this.paths = paths;
  }

  /**
   * Makes a pool and attaches it.
   * @throws TsimgError ERR_NAME_IN_USE, ERR_NO_SPACE, ERR_USAGE, ERR_DRIVER; nothing is left
   */
  create(wish: PoolWish): Pool {
    this.recover();
    checkPoolName(wish.name);
    this.rows.requireFree(wish.name);
    const keeper = keeperOf(wish.kind);
    requirePrograms(keeper.programs);
    keeper.requireWorking?.();
    if (wish.size < keeper.least)
      throw new TsimgError("ERR_USAGE", `a pool of ${wish.size} bytes is too small`, {
        hint: `${wish.kind} takes at least ${Math.ceil(keeper.least / (1 << 20))}M`,
      });
    mkdirSync(poolsDirectory(this.paths), { recursive: true, mode: 0o711 });
    const file = resolve(wish.file ?? join(poolsDirectory(this.paths), `${wish.name}.img`));
    checkPlace(file, wish.size);
    const pool = this.rows.insert(wish.name, wish.kind, file, wish.size);
    const made: string[] = [];
    try {
      for (const [path, size] of Object.entries(keeper.files(pool))) {
        makeSparse(path, size);
        made.push(path);
      }
      keeper.format(pool, wish.formatOptions ?? []);
      this.rows.markReady(pool.name);
    } catch (error) {
      this.undo(pool, made);
      throw error;
    }
    return this.rows.ready(pool.name);
  }

  /**
   * Makes a pool usable, as after a reboot. Costs two calls to the kernel when it is.
   * @throws TsimgError ERR_DRIVER when it can't be, with the cure
   */
  attach(pool: Pool): void {
    const keeper = keeperOf(pool.kind);
    if (keeper.isAttached(pool)) return;
    const absent = Object.keys(keeper.files(pool)).find((path) => !existsSync(path));
    if (absent !== undefined)
      throw new TsimgError("ERR_DRIVER", `the file '${absent}' of pool '${pool.name}' is gone`, {
        hint: `bring it back, or give the pool up: tsimg pool rm --force ${pool.name}`,
      });
    // Two loop devices over one file would be two file systems that overwrite each other.
    using _lock = lockFile(pool.file);
    if (keeper.isAttached(pool)) return;
    try {
      keeper.attach(pool);
    } catch (cause) {
      if (cause instanceof TsimgError && cause.hint !== undefined) throw cause;
      throw new TsimgError("ERR_DRIVER", `can't attach pool '${pool.name}'`, {
        cause,
        hint: `${cause instanceof Error ? cause.message : cause}`,
      });
    }
  }

  isAttached(pool: Pool): boolean {
    return pool.state === "ready" && keeperOf(pool.kind).isAttached(pool);
  }

  users(name: string): PoolUsers {
    return poolUsers(this.database, name);
  }

  /**
   * Takes a pool away with its files.
   * @throws TsimgError ERR_IN_USE naming the images and containers that have snapshots there
   */
  remove(name: string): void {
    this.recover();
    const pool = this.rows.ready(name);
    this.database.transaction(() => {
      if (!existsSync(pool.file)) forgetLayers(this.database, name);
      this.requireUnused(name);
      this.rows.markRemoving(name);
    });
    this.undo(pool);
  }

  /**
   * Undoes what dead processes left half made or half removed.
   * @throws TsimgError as far as that can't be done now
   */
  recover(): void {
    for (const pool of this.rows.abandoned()) this.undo(pool);
  }

  /** As {@link recover}; answers why those stay that do, by their names. */
  tryRecover(): ReadonlyMap<string, string> {
    const failures = new Map<string, string>();
    for (const pool of this.rows.abandoned()) {
      try {
        this.undo(pool);
      } catch (error) {
        failures.set(pool.name, error instanceof Error ? error.message : String(error));
      }
    }
    return failures;
  }

  private requireUnused(name: string): void {
    const { containers, images, snapshots } = this.users(name);
    if (snapshots === 0) return;
    const who = [
      ...containers.map((each) => `container '${each}'`),
      ...images.map((each) => `image '${each}'`),
    ];
    const [first] = containers.length > 0 ? containers : images;
    const cure = containers.length > 0 ? "tsimg rm" : "tsimg rmi";
    throw new TsimgError(
      "ERR_IN_USE",
      who.length > 0
        ? `pool '${name}' holds ${who.slice(0, 5).join(", ")}${who.length > 5 ? ` and ${who.length - 5} more` : ""}`
        : `pool '${name}' holds ${snapshots} snapshots that a command is working on`,
      { hint: first === undefined ? "try again when it has ended" : `${cure} ${first}` },
    );
  }

  private undo(pool: Pool, files = Object.keys(keeperOf(pool.kind).files(pool))): void {
    keeperOf(pool.kind).release(pool);
    for (const path of files) rmSync(path, { force: true });
    rmSync(pool.directory, { recursive: true, force: true });
    this.rows.delete(pool.name);
  }
}

export function keeperOf(kind: PoolKind): PoolKeeper {
  if (kind === "zfs") return new ZfsPool();
  return kind === "devicemapper" ? new ThinPoolFiles() : new LoopPool(kind);
}

/** A file of nothing but a hole. It must not be there: somebody's file is not overwritten. */
function makeSparse(path: string, size: number): void {
  const fd = openSync(path, "wx", 0o600);
  try {
    ftruncateSync(fd, size);
  } finally {
    closeSync(fd);
  }
}

function checkPlace(file: string, size: number): void {
  if (existsSync(file))
    throw new TsimgError("ERR_USAGE", `'${file}' is there already`, {
      hint: "name a file that isn't there, or delete it when nothing needs it",
    });
  const directory = dirname(file);
  const stat = tolerating(["ENOENT", "ENOTDIR"], () => statSync(directory));
  if (stat === undefined || !stat.isDirectory())
    throw new TsimgError("ERR_USAGE", `there is no directory '${directory}'`, {
      hint: "make it first, or name another place with --file",
    });
  const facts = statfsSync(directory);
  const free = facts.bavail * facts.bsize;
  if (size > free)
    throw new TsimgError(
      "ERR_NO_SPACE",
      `a pool of ${megabytes(size)} doesn't fit into '${directory}', where ${megabytes(free)} are free`,
      { hint: "the file takes no space until it is written to, but then it must be there" },
    );
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1 << 20))}M`;
}
