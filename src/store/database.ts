import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { errorCode, tolerating } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { noSpaceError } from "../sys/no-space.ts";
import { MIGRATIONS } from "./migrations.ts";
import { Reserve } from "./reserve.ts";

/** How long a command waits for another one's transaction, in milliseconds. */
const BUSY_TIMEOUT = 30_000;

/**
 * Pages that the write-ahead log grows to before it is written into the database. The first
 * process to open the database reads all of the log, 3 µs a page, and with nobody staying up
 * that is nearly every command; SQLite's own 1000 pages would be 2 ms of each.
 */
const LOG_PAGES = 200;

export type Row = Record<string, null | number | bigint | string | Uint8Array>;

/**
 * The store's metadata: one SQLite file in WAL mode, shared by all processes.
 *
 * Rows are written after the data they name is on the disk. A commit is not flushed on
 * its own (`synchronous = normal`): after a power cut the newest rows may be gone, never
 * half there, and what they named is then swept as unknown.
 */
export class Database implements Disposable {
  private readonly connection: DatabaseSync;
  private readonly path: string;
  private readonly reserve: Reserve;
  private readonly statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.path = path;
    this.reserve = new Reserve(path);
    this.connection = open(path);
    this.connection.exec(
      `pragma synchronous = normal; pragma foreign_keys = on; pragma wal_autocheckpoint = ${LOG_PAGES}`,
    );
    this.migrate(path);
  }

  /** All rows of a query. */
  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.prepare(sql).all(...values) as T[];
  }

  /** The first row of a query. */
  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.prepare(sql).get(...values) as T | undefined;
  }

  /** Runs a statement that changes rows; answers how many it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    const statement = this.prepare(sql);
    if (this.connection.isTransaction) return Number(statement.run(...values).changes);
    return this.withRoom(() => Number(statement.run(...values).changes));
  }

  /**
   * Runs `action` as one transaction that excludes every other writer from its start, so
   * that what it read still holds when it writes. Keep it short, and never await in it. On a
   * full disk it may be run a second time, after a rollback. Within another one it is a part
   * of that.
   * @throws TsimgError ERR_NO_SPACE
   */
  transaction<T>(action: () => T): T {
    if (this.connection.isTransaction) return action();
    return this.withRoom(() => this.attempt(action));
  }

  /** Sets aside again what a full disk made it give up. */
  refillReserve(): void {
    this.reserve.fill();
  }

  [Symbol.dispose](): void {
    if (this.connection.isOpen) this.connection.close();
  }

  private attempt<T>(action: () => T): T {
    this.connection.exec("begin immediate");
    try {
      const result = action();
      this.connection.exec("commit");
      return result;
    } catch (error) {
      if (this.connection.isTransaction) this.connection.exec("rollback");
      throw error;
    }
  }

  /** Runs `write`; when the disk is full, once more with the reserve's room. */
  private withRoom<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      if (!isFull(error)) throw error;
      if (this.reserve.release()) return this.withRoom(write);
      throw noSpaceError(Object.assign(new Error("database"), { code: "ENOSPC" }), this.path);
    }
  }

  private prepare(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.connection.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private version(): number {
    return Number(this.get<{ user_version: number }>("pragma user_version")?.user_version ?? 0);
  }

  private migrate(path: string): void {
    if (this.version() === MIGRATIONS.length) return;
    this.connection.exec("pragma journal_mode = wal");
    this.transaction(() => {
      const version = this.version();
      if (version > MIGRATIONS.length)
        throw new TsimgError("ERR_STORE", `store '${path}' was written by a newer tsimg`, {
          hint: `it has schema ${version}, this tsimg knows ${MIGRATIONS.length}: update tsimg or use another --root`,
        });
      for (const step of MIGRATIONS.slice(version)) this.connection.exec(step);
      this.connection.exec(`pragma user_version = ${MIGRATIONS.length}`);
    });
    this.reserve.fill();
  }
}

/** @see https://sqlite.org/rescode.html, SQLITE_FULL and SQLITE_IOERR_WRITE */
function isFull(error: unknown): boolean {
  if (!(error instanceof Error) || !("errcode" in error)) return false;
  return error.errcode === 13 || error.errcode === 778;
}

/** What versions before this one gave to stores that they made. */
const WIDE_ROOT = 0o711;

/**
 * Keeps a store to its owner: its rows have environments and passwords of mounts, its volumes
 * programs that run as their owner, whoever starts them (CVE-2021-41091).
 */
function keepPrivate(path: string): void {
  const { mode } = statSync(path, { throwIfNoEntry: false }) ?? {};
  // SQLite would go by the umask.
  if (mode === undefined) return closeSync(openSync(path, "a", 0o600));
  if ((mode & 0o077) === 0) return;
  tolerating(["EPERM", "EROFS"], () => {
    const root = dirname(path);
    if ((statSync(root).mode & 0o7777) === WIDE_ROOT) chmodSync(root, 0o700);
    for (const file of [`${path}-wal`, `${path}-shm`, path])
      tolerating(["ENOENT"], () => chmodSync(file, 0o600));
  });
}

function connect(path: string): DatabaseSync {
  keepPrivate(path);
  return new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
}

function open(path: string): DatabaseSync {
  try {
    return connect(path);
  } catch (first) {
    // Most often the directory isn't there yet: looked at only now, since commands that
    // find a store should not pay for it.
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      return connect(path);
    } catch (cause) {
      const denied = errorCode(cause) === "EACCES" || process.getuid?.() !== 0;
      throw new TsimgError(
        denied ? "ERR_ROOT_REQUIRED" : "ERR_STORE",
        `can't open the store's database '${path}'`,
        {
          cause: cause ?? first,
          hint: denied
            ? "run as root, or name a directory of yours with --root or TSIMG_ROOT"
            : "is the directory writable and the file system not full?",
        },
      );
    }
  }
}
