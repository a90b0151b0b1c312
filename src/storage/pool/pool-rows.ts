import { join } from "node:path";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { isAlive, ownIdentity } from "../../store/process-identity.ts";
import { TsimgError } from "../../sys/error.ts";
import { randomHex } from "../../sys/random.ts";
import { type Pool, type PoolKind, poolsDirectory } from "./pool.ts";

interface Row {
  readonly name: string;
  readonly driver: PoolKind;
  readonly file: string;
  readonly size: number;
  readonly state: Pool["state"];
  readonly owner: string | null;
  readonly created: string;
  readonly options: string;
}

/** The database's half of the pools. */
export class PoolRows {
  private readonly database: Database;
  private readonly paths: StorePaths;

  constructor(database: Database, paths: StorePaths) {
    this.database = database;
    this.paths = paths;
  }

  all(): readonly Pool[] {
    return this.database.all<Row>("select * from pools order by name").map((row) => this.pool(row));
  }

  get(name: string): Pool | undefined {
    const row = this.database.get<Row>("select * from pools where name = ?", name);
    return row === undefined ? undefined : this.pool(row);
  }

  /**
   * A pool that may be used.
   * @throws TsimgError ERR_DRIVER when there is none of that name
   */
  ready(name: string): Pool {
    const pool = this.get(name);
    if (pool?.state === "ready") return pool;
    const reason = pool === undefined ? "there is no pool" : `pool is ${pool.state}:`;
    const others = this.all().filter(({ state }) => state === "ready");
    throw new TsimgError("ERR_DRIVER", `${reason} '${name}'`, {
      hint:
        others.length > 0
          ? `there are ${others.map((each) => each.name).join(", ")}`
          : `tsimg pool create ${name} --driver btrfs --size 20G makes one`,
    });
  }

  /**
   * The row of a pool that this process is about to make.
   * @throws TsimgError ERR_NAME_IN_USE
   */
  insert(name: string, kind: PoolKind, file: string, size: number): Pool {
    this.database.transaction(() => {
      this.requireFree(name);
      this.database.run(
        `insert into pools (name, driver, file, size, state, owner, created, options)
         values (?, ?, ?, ?, 'creating', ?, ?, ?)`,
        name,
        kind,
        file,
        size,
        ownIdentity(),
        new Date().toISOString(),
        // Other stores of this machine may have a pool of the same name.
        JSON.stringify({ hostName: `tsimg-${name}-${randomHex(8)}` }),
      );
    });
    return this.pool(this.database.get<Row>("select * from pools where name = ?", name) as Row);
  }

  /** @throws TsimgError ERR_NAME_IN_USE */
  requireFree(name: string): void {
    if (this.get(name) === undefined) return;
    throw new TsimgError("ERR_NAME_IN_USE", `there is a pool '${name}' already`, {
      hint: "choose another name, or see tsimg pool ls",
    });
  }

  markReady(name: string): void {
    this.database.run("update pools set state = 'ready', owner = null where name = ?", name);
  }

  /** Call inside the transaction that found it unused. */
  markRemoving(name: string): void {
    this.database.run(
      "update pools set state = 'removing', owner = ? where name = ?",
      ownIdentity(),
      name,
    );
  }

  delete(name: string): void {
    this.database.run("delete from pools where name = ?", name);
  }

  /** What dead processes left half made or half removed. */
  abandoned(): readonly Pool[] {
    return this.database
      .all<Row>("select * from pools where state != 'ready'")
      .filter(({ owner }) => owner === null || !isAlive(owner))
      .map((row) => this.pool(row));
  }

  private pool(row: Row): Pool {
    const { hostName } = JSON.parse(row.options) as { hostName: string };
    return {
      name: row.name,
      kind: row.driver,
      file: row.file,
      size: row.size,
      state: row.state,
      created: row.created,
      hostName,
      directory: join(poolsDirectory(this.paths), row.name),
    };
  }
}
