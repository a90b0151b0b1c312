import { chmodSync, chownSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import type { SnapshotId, StorageOptions } from "../../drivers/driver.ts";
import { mergeLayer } from "../layer/merge/merge-layer.ts";
import type { LayerRemainder } from "../layer/remainder.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { OpenMount } from "../sys/detached-mount.ts";
import { setModificationTime } from "../sys/file-node.ts";
import { listXattrs, removeXattr } from "../sys/xattr.ts";

/** What a directory takes over from the one that it is made in: a group, access control lists. */
function disinherit(directory: string): void {
  chownSync(directory, 0, 0);
  for (const name of listXattrs(directory))
    if (name.toString("latin1").startsWith("system.posix_acl")) removeXattr(directory, name);
  chmodSync(directory, 0o755);
}

/**
 * A layer on its way into a snapshot that is a whole tree: a writable copy of the parent is
 * opened to this process alone, the layer is unpacked into a directory inside it, and from
 * there its files are moved to their places.
 */
export class TreeLayer implements Disposable {
  private readonly snapshots: SnapshotStore;
  private readonly id: SnapshotId;
  private readonly stage: string;
  private readonly tree: OpenMount;
  private readonly fd: number;
  private isOpen = true;

  /**
   * @param id   a snapshot whose row is there, and whose parents are sealed
   * @param view see `SnapshotStore.open`
   */
  constructor(
    snapshots: SnapshotStore,
    id: SnapshotId,
    view: string,
    options: StorageOptions = {},
  ) {
    this.snapshots = snapshots;
    this.id = id;
    // No layer can have a file of this name: the id was drawn after the layer was made.
    this.stage = `.tsimg-${id}`;
    snapshots.create(id, options);
    this.tree = snapshots.open(id, "rw", view);
    try {
      this.fd = this.openStage();
    } catch (error) {
      this.tree[Symbol.dispose]();
      throw error;
    }
  }

  /** The directory to unpack into, by a path that leads there from any process. */
  get directory(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  /** Moves what was unpacked into the tree, and seals the snapshot. */
  finish(remainder: LayerRemainder): void {
    const isBase = this.snapshots.parents(this.id).length === 0;
    mergeLayer(this.tree.path, this.stage, isBase, remainder);
    this[Symbol.dispose]();
    this.snapshots.seal(this.id, remainder.rootOpaque);
  }

  [Symbol.dispose](): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    closeSync(this.fd);
    this.tree[Symbol.dispose]();
  }

  private openStage(): number {
    const root = this.tree.path;
    const time = statSync(root, { bigint: true }).mtimeNs;
    const stage = `${root}/${this.stage}`;
    mkdirSync(stage, 0o755);
    disinherit(stage);
    // A layer that says nothing of the root leaves its time alone.
    setModificationTime(`${root}/.`, time);
    return openSync(stage, "r");
  }
}
