import type { SnapshotId } from "../../drivers/driver.ts";
import type { ChainId } from "../oci/digest.ts";
import type { Database } from "../store/database.ts";
import { ownIdentity } from "../store/process-identity.ts";
import { TsimgError } from "../sys/error.ts";
import { randomHex } from "../sys/random.ts";

export interface Snapshot {
  readonly id: SnapshotId;
  readonly driver: string;
  /** `committed`: an image's layer; `active`: a container's writable one; `view`: read-only. */
  readonly kind: "committed" | "active" | "view";
  readonly parent: SnapshotId | null;
  readonly chain_id: ChainId | null;
  readonly state: "creating" | "ready" | "removing";
  readonly created: string;
  readonly bytes: number;
  readonly inodes: number;
}

/** The database's half of the snapshots: what there is, and whose parent is whose. */
export class SnapshotRows {
  protected readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  get(id: string): Snapshot | undefined {
    return this.database.get<Snapshot>("select * from snapshots where id = ?", id);
  }

  /** The unpacked snapshot of a chain, once it is ready. */
  byChain(driver: string, chain: ChainId): Snapshot | undefined {
    return this.database.get<Snapshot>(
      "select * from snapshots where driver = ? and chain_id = ? and state = 'ready'",
      driver,
      chain,
    );
  }

  /** Names of the drivers in which a chain is unpacked. */
  driversOf(chain: ChainId): readonly string[] {
    return this.database
      .all<{ driver: string }>(
        "select driver from snapshots where chain_id = ? and state = 'ready' order by driver",
        chain,
      )
      .map((row) => row.driver);
  }

  /** Every snapshot, parents before their children. */
  walk(): readonly Snapshot[] {
    return this.database.all<Snapshot>(
      `with recursive tree (id, depth) as (
         select id, 0 from snapshots where parent is null
         union all
         select s.id, depth + 1 from snapshots s join tree on s.parent = tree.id
       )
       select s.* from snapshots s join tree using (id) order by depth, created`,
    );
  }

  /** What lies below a snapshot, nearest first. */
  parents(id: SnapshotId | null): readonly SnapshotId[] {
    return this.database
      .all<{ id: SnapshotId }>(
        `with recursive below (id, depth) as (
           select parent, 1 from snapshots where id = ?
           union all
           select s.parent, depth + 1 from snapshots s join below on s.id = below.id
         )
         select id from below where id is not null order by depth`,
        id,
      )
      .map((row) => row.id);
  }

  /** What `setAccounts` recorded, or undefined. */
  accounts(id: SnapshotId): string | undefined {
    const sql = "select accounts from snapshots where id = ?";
    return this.database.get<{ accounts: string | null }>(sql, id)?.accounts ?? undefined;
  }

  setAccounts(id: SnapshotId, accounts: string): void {
    this.database.run("update snapshots set accounts = ? where id = ?", accounts, id);
  }

  /** As `get`. @throws TsimgError ERR_NO_SUCH_SNAPSHOT */
  protected existing(id: SnapshotId): Snapshot {
    const snapshot = this.get(id);
    if (snapshot !== undefined) return snapshot;
    throw new TsimgError("ERR_NO_SUCH_SNAPSHOT", `there is no snapshot '${id}'`);
  }

  protected insert(row: {
    driver: string;
    kind: Snapshot["kind"];
    parent: SnapshotId | null;
    chain: ChainId | null;
    state: "creating" | "ready";
  }): SnapshotId {
    const id = randomHex(64) as SnapshotId;
    this.database.run(
      `insert into snapshots (id, driver, kind, parent, chain_id, state, owner, created)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      row.driver,
      row.kind,
      row.parent,
      row.chain,
      row.state,
      row.state === "creating" ? ownIdentity() : null,
      new Date().toISOString(),
    );
    return id;
  }
}
