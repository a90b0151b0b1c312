import { mkdirSync } from "node:fs";
import type { SnapshotId, StorageDriver, StorageOptions, Usage } from "../../drivers/driver.ts";
import type { ChainId } from "../oci/digest.ts";
import type { Database } from "../store/database.ts";
import { isAlive, ownIdentity } from "../store/process-identity.ts";
import { type OpenMount, openMount } from "../sys/detached-mount.ts";
import { TsimgError } from "../sys/error.ts";
import type { MountSpec } from "../sys/mount-spec.ts";
import { sleep } from "../sys/sleep.ts";
import type { DriverSource } from "./driver-source.ts";
import { SnapshotRows } from "./snapshot-rows.ts";

/** How often a waiting command looks whether another one has unpacked the layer, in ms. */
const POLL = 40;

/** Condition on a row `s` of `snapshots`: an unpacked layer that nothing refers to. */
export const UNNEEDED = `kind = 'committed' and state = 'ready'
  and not exists (select 1 from snapshots c where c.parent = s.id and c.state != 'removing')
  and not exists (select 1 from manifest_layers l where l.chain_id = s.chain_id)
  and not exists (select 1 from image_mounts m where m.snapshot = s.id)
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
  private readonly drivers: DriverSource;

  constructor(database: Database, drivers: DriverSource) {
    super(database);
    this.drivers = drivers;
  }

  /** @throws TsimgError ERR_DRIVER when there is no driver of that name, or it can't work */
  driver(name: string): StorageDriver {
    return this.drivers.get(name);
  }

  /**
   * Asks for the right to unpack a layer; waits while another process does it. Where layers
   * are written apart the driver has made the directory when this answers; else `createTree`
   * makes the snapshot once its parent is sealed.
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
    options: StorageOptions = {},
  ): Promise<SnapshotId | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const claim = this.database.transaction(() => this.claim(driver, chain, parent));
      if (claim === "present") return undefined;
      if (claim !== "busy") {
        const { layers } = this.driver(driver);
        if (layers.form !== "tree") layers.begin(claim, this.parents(claim), options);
        return claim;
      }
      onBusy();
      await sleep(POLL, signal);
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

  /** The driver's half of a snapshot whose row is there. */
  create(id: SnapshotId, options: StorageOptions = {}): void {
    this.driverOf(id).create(id, this.parents(id), options);
  }

  driverOf(id: SnapshotId): StorageDriver {
    return this.driver(this.existing(id).driver);
  }

  /** Makes the driver's half read-only. @param cut nothing below this layer shows */
  seal(id: SnapshotId, cut: boolean): void {
    const driver = this.driverOf(id);
    if (cut && driver.layers.form !== "tree") driver.layers.cutBelow(id);
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

  /** The mounts that show a snapshot; what they need on the host is there when this answers. */
  mounts(id: SnapshotId, mode: "rw" | "ro"): readonly MountSpec[] {
    const driver = this.driverOf(id);
    const parents = this.parents(id);
    driver.attach?.(id, parents);
    return driver.mounts(id, parents, mode);
  }

  /**
   * Shows a snapshot's tree to this process alone.
   * @param directory an empty one, which only old kernels need; made when it isn't there
   */
  open(id: SnapshotId, mode: "rw" | "ro", directory: string): OpenMount {
    return openMount(this.mounts(id, mode), mode, () => {
      mkdirSync(directory, { recursive: true });
      return directory;
    });
  }

  /** Absolute directories by docker's GraphDriver names. */
  paths(id: SnapshotId): Readonly<Record<string, string>> {
    return this.driverOf(id).paths(id, this.parents(id));
  }

  /** What a launcher may delete to free a snapshot; undefined when that takes more. */
  files(id: SnapshotId): readonly string[] | undefined {
    return this.driverOf(id).files?.(id);
  }

  /** What drivers have on disk that no row names. Call inside a transaction. */
  unknownOnDisk(): readonly { readonly driver: string; readonly id: SnapshotId }[] {
    return this.drivers.present().flatMap((driver) =>
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
   * Frees what the drivers have of snapshots marked for removal, children before their
   * parents, then drops their rows. One whose child another process is still taking down
   * stays, for `recover`.
   */
  destroy(...ids: readonly SnapshotId[]): void {
    const going = new Set<SnapshotId>();
    for (const id of ids) {
      const children = this.database.all<{ id: SnapshotId }>(
        "select id from snapshots where parent = ?",
        id,
      );
      if (children.every((child) => going.has(child.id))) going.add(id);
    }
    const known = [...going].map((id) => this.get(id)).filter((row) => row !== undefined);
    for (const [driver, snapshots] of Map.groupBy(known, (snapshot) => snapshot.driver))
      this.driver(driver).destroy(snapshots.map(({ id }) => id));
    for (const { id } of known)
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
    const marked: SnapshotId[] = [];
    for (let at = id; at !== null; ) {
      const layer = this.get(at);
      const unneeded = this.database.transaction(
        () =>
          this.database.get(`select 1 from snapshots s where ${UNNEEDED} and id = ?`, at) !==
            undefined && this.markRemoving(at as SnapshotId),
      );
      if (!unneeded || layer === undefined) break;
      marked.push(at);
      at = layer.parent;
    }
    this.destroy(...marked);
  }

  /** Undoes what dead processes left half made or half removed. */
  recover(): void {
    const unfinished = this.database.all<{ id: SnapshotId; owner: string | null; driver: string }>(
      "select id, owner, driver from snapshots where state in ('creating', 'removing')",
    );
    const dead = unfinished.filter(
      (row) => (row.owner === null || !isAlive(row.owner)) && this.isWithinReach(row.driver),
    );
    if (dead.length === 0) return;
    const ids = new Set(dead.map((row) => row.id));
    // Children first: a parent can't go while a row points at it.
    const marked = this.walk()
      .toReversed()
      .filter(({ id }) => ids.has(id) && this.markDead(id));
    this.destroy(...marked.map(({ id }) => id));
  }

  /** A pool that can't be attached right now must not keep other drivers from working. */
  private isWithinReach(driver: string): boolean {
    try {
      return this.driver(driver).name === driver;
    } catch (error) {
      if (error instanceof TsimgError) return false;
      throw error;
    }
  }

  private markDead(id: SnapshotId): boolean {
    return this.database.transaction(() => {
      const row = this.database.get<{ state: string; owner: string | null }>(
        "select state, owner from snapshots where id = ?",
        id,
      );
      if (row === undefined || row.state === "ready") return false;
      if (row.owner !== null && isAlive(row.owner)) return false;
      const child = this.database.get(
        "select id from snapshots where parent = ? and state != 'removing' limit 1",
        id,
      );
      return child === undefined && this.markRemoving(id);
    });
  }
}
