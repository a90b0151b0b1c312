import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotId } from "../../drivers/driver.ts";
import type { ContentStore } from "../content/content-store.ts";
import type { ChainId, Digest } from "../oci/digest.ts";
import { type SnapshotStore, UNNEEDED } from "../snapshot/snapshot-store.ts";
import type { Database } from "../store/database.ts";
import { dropDeadLeases } from "../store/leases.ts";
import type { StorePaths } from "../store/paths.ts";
import { tolerating } from "../sys/errno.ts";

export interface CollectContext {
  readonly database: Database;
  readonly content: ContentStore;
  readonly snapshots: SnapshotStore;
  readonly paths: StorePaths;
}

export interface Collected {
  /** Blobs that are gone. */
  readonly content: readonly Digest[];
  /** Layers that are gone, topmost first. */
  readonly layers: readonly ChainId[];
}

/**
 * Takes away what nothing refers to: layers of no image and no container, blobs of no image.
 * What a living command's lease holds stays, and so does what it is just making.
 *
 * First all that goes is marked, in one transaction; then it is deleted. Cut short, the
 * rest is done by the next collection.
 */
export function collect(context: CollectContext): Collected {
  const { database, content, snapshots } = context;
  const marked = database.transaction(() => {
    dropDeadLeases(database);
    return { snapshots: markSnapshots(context), content: markContent(database) };
  });
  snapshots.recover();
  // Children were marked before their parents.
  snapshots.destroy(...marked.snapshots.map(({ id }) => id));
  for (const digest of marked.content) content.remove(digest);
  database.refillReserve();
  return { content: marked.content, layers: marked.snapshots.map((snapshot) => snapshot.chain_id) };
}

interface MarkedSnapshot {
  readonly id: SnapshotId;
  readonly chain_id: ChainId;
}

function markSnapshots({ database, snapshots }: CollectContext): MarkedSnapshot[] {
  const marked: MarkedSnapshot[] = [];
  for (;;) {
    const leaves = database.all<MarkedSnapshot>(
      `select id, chain_id from snapshots s where ${UNNEEDED}`,
    );
    if (leaves.length === 0) return marked;
    for (const leaf of leaves) snapshots.markRemoving(leaf.id);
    marked.push(...leaves);
  }
}

function markContent(database: Database): Digest[] {
  database.run(
    `update content set state = 'removing'
     where digest not in (
       select digest from manifests union select config_digest from manifests
       union select digest from manifest_layers union select target from images
       union select ref from lease_holds where kind = 'content')`,
  );
  return database
    .all<{ digest: Digest }>("select digest from content where state = 'removing'")
    .map((row) => row.digest);
}

/**
 * Deletes files that no row knows of: what a power cut, which takes the newest rows along,
 * or a kill between a file and its row left. Files are entered under the same lock, so
 * that nothing on its way in is taken for a leftover.
 */
export function sweep({ database, paths, snapshots, content }: CollectContext): void {
  const unknown = database.transaction(() => {
    const blobs = listBlobs(paths.blobs).filter(
      (digest) => database.get("select 1 from content where digest = ?", digest) === undefined,
    );
    for (const digest of blobs) rmSync(content.path(digest), { force: true });
    return snapshots.unknownOnDisk();
  });
  for (const [driver, found] of Map.groupBy(unknown, (each) => each.driver))
    snapshots.driver(driver).destroy(found.map(({ id }) => id));
  content.dropOldIngests();
}

function listBlobs(blobs: string): Digest[] {
  const algorithms = tolerating(["ENOENT"], () => readdirSync(blobs)) ?? [];
  return algorithms.flatMap((algorithm) =>
    readdirSync(join(blobs, algorithm)).map((hex) => `${algorithm}:${hex}` as Digest),
  );
}
