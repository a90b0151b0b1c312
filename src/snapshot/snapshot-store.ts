import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotId, StorageDriver, Usage } from "../../drivers/driver.ts";
import type { ChainId } from "../oci/digest.ts";
import type { Database } from "../store/database.ts";
import { isAlive, ownIdentity } from "../store/process-identity.ts";
import { TsimgError } from "../sys/error.ts";
import type { MountSpec } from "../sys/mount-spec.ts";
import { SnapshotRows } from "./snapshot-rows.ts";

/** How often a waiting command looks whether another one has unpacked the layer, in ms. */
const POLL = 40;

/** Condition on a row `s` of `snapshots`: an unpacked layer that nothing refers to. */
export const UNNEEDED = `kind = 'committed' and state = 'ready'
  and not exists (select 1 from snapshots c where c.parent = s.id and c.state != 'removing')
  and not exists (select 1 from manifest_layers l where l.chain_id = s.chain_id)
  and not exists (select 1 from lease_holds h where h.kind = 'chain' and h.ref = s.chain_id)`;

/**
 * Which snapshots there are, whose parent is whose, over any number of drivers: after
 * containerd's snapshotter, with the chainID as the key of an image's layers.
 *
 *     claimChain ──▶ creating ──commit──▶ ready (committed)
 *     prepare, view ─────────────────────▶ ready (active, view)
 *     remove ──▶ removing ──▶ gone
 *
 * A `creating` row belongs to the process it names. When that is dead, the row and what
 * the driver has of it are undone: by whoever wants the same chain, or by `recover`.
 */
export class SnapshotStore extends SnapshotRows {
  private readonly drivers: ReadonlyMap<string, StorageDriver>;

  constructor(database: Database, drivers: readonly StorageDriver[]) {
    super(database);
    this.drivers = new Map(drivers.map((driver) => [driver.name, driver]));
  }

  /** @throws TsimgError ERR_DRIVER when there is no driver of that name */
  driver(name: string): StorageDriver {
    const driver = this.drivers.get(name);
    if (driver !== undefined) return driver;
    throw new TsimgError("ERR_DRIVER", `no storage driver is called '${name}'`, {
      hint: `there are ${[...this.drivers.keys()].join(", ")}`,
    });
  }

  /**
   * Asks for the right to unpack a layer; waits while another process does it. The driver
   * has made the directory when this answers.
   *
   * @param onBusy called whenever it is found that another process is at it
   * @returns undefined when the chain is unpacked by then
   */
  async claimChain(
    driver: string,
    chain: ChainId,
    parent: SnapshotId | null,
    signal: AbortSignal,
    onBusy: () => void = () => {},
  ): Promise<SnapshotId | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const claim = this.database.transaction(() => this.claim(driver, chain, parent));
      if (claim === "present") return undefined;
      if (claim !== "busy") {
        this.driver(driver).create(claim, this.parents(claim));
        return claim;
      }
      onBusy();
      await sleep(POLL, undefined, { signal });
    }
  }

  private claim(
    driver: string,
    chain: ChainId,
    parent: SnapshotId | null,
  ): "present" | "busy" | SnapshotId {
    const row = this.database.get<{ id: string; state: string; owner: string }>(
      "select id, state, owner from snapshots where driver = ? and chain_id = ?",
      driver,
      chain,
    );
    if (row?.state === "ready") return "present";
    if (row !== undefined && isAlive(row.owner)) return "busy";
    if (row !== undefined)
      this.database.run(
        "update snapshots set state = 'removing', chain_id = null where id = ?",
        row.id,
      );
    return this.insert({ driver, kind: "committed", parent, chain, state: "creating" });
  }

  /** Where a layer is written into, unmounted. @throws TsimgError when the driver can't */
  upperDirectory(id: SnapshotId): string {
    const snapshot = this.existing(id);
    const upper = this.driver(snapshot.driver).upper;
    if (upper !== undefined) return upper.dir(id);
    throw new TsimgError("ERR_DRIVER", `driver '${snapshot.driver}' has no unmounted layers`);
  }

  /** Makes the driver's half read-only. @param cut nothing below this layer shows */
  seal(id: SnapshotId, cut: boolean): void {
    const driver = this.driver(this.existing(id).driver);
    if (cut) driver.upper?.cutBelow(id);
    driver.seal(id, this.parents(id));
  }

  /** The layer is complete, sealed and on the disk: from now on everybody may use it. */
  commit(id: SnapshotId, usage: Usage): void {
    const changed = this.database.run(
      "update snapshots set state = 'ready', owner = null, bytes = ?, inodes = ? where id = ? and state = 'creating'",
      usage.bytes,
      usage.inodes,
      id,
    );
    if (changed !== 1)
      throw new TsimgError(
        "ERR_NO_SUCH_SNAPSHOT",
        `snapshot '${id}' was taken away while it was made`,
      );
  }

  /**
   * Inserts the row of a writable snapshot (`active`) or a read-only one (`view`) on top of
   * `parent`. Call inside the transaction that records its user, then `driver.create`.
   */
  prepare(driver: string, parent: SnapshotId | null, kind: "active" | "view"): SnapshotId {
    return this.insert({ driver, kind, parent, chain: null, state: "ready" });
  }

  mounts(id: SnapshotId, mode: "rw" | "ro"): readonly MountSpec[] {
    const snapshot = this.existing(id);
    return this.driver(snapshot.driver).mounts(id, this.parents(id), mode);
  }

  /** Absolute directories by docker's GraphDriver names. */
  paths(id: SnapshotId): Readonly<Record<string, string>> {
    return this.driver(this.existing(id).driver).paths(id, this.parents(id));
  }

  /** What the driver keeps of a snapshot, for a launcher that removes it by itself. */
  files(id: SnapshotId): readonly string[] {
    return this.driver(this.existing(id).driver).files?.(id) ?? [];
  }

  /** What drivers have on disk that no row names. Call inside a transaction. */
  unknownOnDisk(): readonly { readonly driver: string; readonly id: SnapshotId }[] {
    return [...this.drivers.values()].flatMap((driver) =>
      driver
        .list()
        .filter((id) => this.get(id) === undefined)
        .map((id) => ({ driver: driver.name, id })),
    );
  }

  /**
   * Bytes and inodes of this snapshot alone: for a layer the sizes of its files as its
   * archive states them, recorded once; for the others what the driver counts.
   */
  usage(id: SnapshotId): Usage {
    const snapshot = this.existing(id);
    if (snapshot.kind === "committed") return { bytes: snapshot.bytes, inodes: snapshot.inodes };
    return this.driver(snapshot.driver).usage(id);
  }

  /**
   * Takes a snapshot down, also one that is half made.
   * @throws TsimgError ERR_IN_USE when another one is built on it
   */
  remove(id: SnapshotId): void {
    const marked = this.database.transaction(() => this.markRemoving(id));
    if (marked) this.destroy(id);
  }

  /** Marks for removal. Call inside a transaction; `destroy` does the rest. */
  markRemoving(id: SnapshotId): boolean {
    const child = this.database.get<{ id: string }>(
      "select id from snapshots where parent = ? and state != 'removing' limit 1",
      id,
    );
    if (child !== undefined)
      throw new TsimgError("ERR_IN_USE", `snapshot '${id}' is the parent of '${child.id}'`);
    return (
      this.database.run(
        "update snapshots set state = 'removing', chain_id = null, owner = ? where id = ?",
        ownIdentity(),
        id,
      ) === 1
    );
  }

  /**
   * Frees what the driver has of a snapshot marked for removal, then drops its row. The row
   * stays for `recover` while another process is still taking a child of it down.
   */
  destroy(id: SnapshotId): void {
    const snapshot = this.get(id);
    if (snapshot === undefined) return;
    this.driver(snapshot.driver).destroy(id);
    this.database.run(
      `delete from snapshots where id = ? and state = 'removing'
         and not exists (select 1 from snapshots c where c.parent = snapshots.id)`,
      id,
    );
  }

  /**
   * Takes down a layer, and those below it, as far as no image, lease or other snapshot needs
   * them: the last container of an image that was removed has gone.
   */
  removeUnneeded(id: SnapshotId | null): void {
    for (let at = id; at !== null; ) {
      const layer = this.get(at);
      const marked = this.database.transaction(
        () =>
          this.database.get(`select 1 from snapshots s where ${UNNEEDED} and id = ?`, at) !==
            undefined && this.markRemoving(at as SnapshotId),
      );
      if (!marked || layer === undefined) return;
      this.destroy(at);
      at = layer.parent;
    }
  }

  /** Undoes what dead processes left half made or half removed. */
  recover(): void {
    const unfinished = this.database.all<{ id: SnapshotId; owner: string | null }>(
      "select id, owner from snapshots where state in ('creating', 'removing')",
    );
    const dead = unfinished.filter((row) => row.owner === null || !isAlive(row.owner));
    if (dead.length === 0) return;
    const ids = new Set(dead.map((row) => row.id));
    // Children first: a parent can't go while a row points at it.
    for (const snapshot of this.walk().toReversed())
      if (ids.has(snapshot.id)) this.recoverOne(snapshot.id);
  }

  private recoverOne(id: SnapshotId): void {
    const marked = this.database.transaction(() => {
      const row = this.database.get<{ state: string; owner: string | null }>(
        "select state, owner from snapshots where id = ?",
        id,
      );
      if (row === undefined || row.state === "ready") return false;
      if (row.owner !== null && isAlive(row.owner)) return false;
      const child = this.database.get("select id from snapshots where parent = ? limit 1", id);
      return child === undefined && this.markRemoving(id);
    });
    if (marked) this.destroy(id);
  }
}
