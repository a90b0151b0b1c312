import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SnapshotId, StorageDriver } from "../../../drivers/driver.ts";
import type { ChainId } from "../../../src/oci/digest.ts";
import { SnapshotStore } from "../../../src/snapshot/snapshot-store.ts";
import { Database } from "../../../src/store/database.ts";
import { Lease } from "../../../src/store/leases.ts";

/** A driver that only remembers which snapshots there are. */
class PaperDriver implements StorageDriver {
  readonly name = "paper";
  readonly home = "/nowhere";
  readonly layers = {
    form: "overlay",
    begin: (id: SnapshotId) => this.create(id),
    dir: (id: SnapshotId) => id,
    cutBelow: () => {},
  } as const;
  readonly held = new Set<SnapshotId>();
  create(id: SnapshotId): void {
    this.held.add(id);
  }
  destroy(ids: readonly SnapshotId[]): void {
    for (const id of ids) this.held.delete(id);
  }
  seal(): void {}
  mounts = () => [];
  list = () => [...this.held];
  usage = () => ({ bytes: 0, inodes: 0 });
  paths = () => ({});
}

const signal = new AbortController().signal;
const NOBODY = "1:1:another-boot";
let directory: string;
let database: Database;
let driver: PaperDriver;
let store: SnapshotStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsimg-snapshots-"));
  database = new Database(join(directory, "tsimg.db"));
  driver = new PaperDriver();
  store = new SnapshotStore(database, { get: () => driver, present: () => [driver] });
});

afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

async function layer(chain: string, parent: SnapshotId | null): Promise<SnapshotId> {
  const id = await store.claimChain("paper", chain as ChainId, parent, signal);
  if (id === undefined) throw new Error("it is there");
  store.commit(id, { bytes: 1, inodes: 1 });
  return id;
}

function orphan(id: SnapshotId, state: "creating" | "removing"): void {
  const sql = "update snapshots set state = ?, owner = ? where id = ?";
  database.run(sql, state, NOBODY, id);
}

it("one chain is unpacked once, and who comes later finds it", async () => {
  const id = await layer("a", null);
  expect(await store.claimChain("paper", "a" as ChainId, null, signal)).toBeUndefined();
  expect(store.byChain("paper", "a" as ChainId)?.id).toBe(id);
});

it("a chain that a dead process was unpacking is begun anew, and its rest goes", async () => {
  const dead = await layer("a", null);
  orphan(dead, "creating");
  const id = await layer("a", null);
  expect(id).not.toBe(dead);
  store.recover();
  expect([...driver.held]).toEqual([id]);
  expect(store.walk().map((snapshot) => snapshot.id)).toEqual([id]);
});

it("recovery takes children before parents, and leaves what the living do", async () => {
  const [base, other] = [await layer("a", null), await layer("x", null)];
  const child = await layer("b", base);
  orphan(base, "removing");
  orphan(child, "creating");
  const busy = await store.claimChain("paper", "y" as ChainId, other, signal);
  store.recover();
  expect([...driver.held].sort()).toEqual([other, busy].sort());
});

it("a parent waits while another process is still taking its child down", async () => {
  const base = await layer("a", null);
  const child = await layer("b", base);
  database.transaction(() => store.markRemoving(child));
  store.remove(base);
  expect([...driver.held].sort()).toEqual([base, child].sort());
  store.destroy(child);
  expect([...driver.held]).toEqual([base]);
  orphan(base, "removing");
  store.recover();
  expect(store.walk()).toEqual([]);
});

it("a parent of something that stays can't be removed", async () => {
  const base = await layer("a", null);
  await layer("b", base);
  expect(() => store.remove(base)).toThrow(/is the parent of/);
});

it("layers that nobody needs go from the top down to the first that is needed", async () => {
  const base = await layer("a", null);
  const middle = await layer("b", base);
  const top = await layer("c", middle);
  const container = store.prepare("paper", top, "active");
  store.removeUnneeded(top);
  expect(driver.held.size).toBe(3);
  store.remove(container);
  const lease = new Lease(database);
  lease.hold("chain", ["a"]);
  store.removeUnneeded(top);
  expect([...driver.held]).toEqual([base]);
  lease[Symbol.dispose]();
  store.removeUnneeded(base);
  expect(driver.held.size).toBe(0);
});

it("parents are listed nearest first, and all of them before their children", async () => {
  const base = await layer("a", null);
  const middle = await layer("b", base);
  const top = await layer("c", middle);
  expect(store.parents(top)).toEqual([middle, base]);
  expect(store.walk().map((snapshot) => snapshot.id)).toEqual([base, middle, top]);
});
