import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotId, StorageDriver } from "../../drivers/driver.ts";
import type { Change } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { sealLayer } from "../../src/image/seal-layer.ts";
import { TreeLayer } from "../../src/image/tree-layer.ts";
import { LayerSink } from "../../src/layer/archive-sink.ts";
import type { LayerRemainder } from "../../src/layer/remainder.ts";
import { DEFAULT_TAR_LIMITS } from "../../src/layer/tar/limits.ts";
import { Unpacker } from "../../src/layer/unpacker.ts";
import { type Digest, sha256Digest } from "../../src/oci/digest.ts";
import { SnapshotStore } from "../../src/snapshot/snapshot-store.ts";
import { Database } from "../../src/store/database.ts";
import { linesOnDisk, type TreeLines } from "./tree-lines.ts";

export type MakeDriver = (root: string) => StorageDriver;

const UNPACK = join(import.meta.dirname, "../../src/layer/unpack-main.ts");

/**
 * A snapshot store over one driver in a directory of its own, where layers are made the way
 * a pull makes them, and trees are opened the way that a pull opens them.
 */
export class Workshop implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "tsimg-conformance-"));
  readonly driver: StorageDriver;
  readonly snapshots: SnapshotStore;
  private readonly database: Database;
  private readonly view = join(this.root, "view");

  /** What an unpack process writes for this driver. */
  private get form(): "overlay" | "image" {
    return this.driver.layers.form === "image" ? "image" : "overlay";
  }

  constructor(makeDriver: MakeDriver) {
    this.driver = makeDriver(this.root);
    this.database = new Database(join(this.root, "tsimg.db"));
    this.snapshots = new SnapshotStore(this.database, {
      get: () => this.driver,
      present: () => [this.driver],
    });
    mkdirSync(this.view);
  }

  /** Layers on top of each other, each written by an unpack process. */
  async stack(layers: readonly (readonly Change[])[]): Promise<SnapshotId | null> {
    return this.pile(layers, (tar, directory) => this.unpackElsewhere(tar, directory));
  }

  /** As `stack`, but written by this process: a hundred times as fast. */
  async stackHere(layers: readonly (readonly Change[])[]): Promise<SnapshotId | null> {
    return this.pile(layers, (tar, directory) => writeHere(tar, directory, this.form));
  }

  /** The merged tree as a container would see it. */
  look(id: SnapshotId): TreeLines {
    return this.mounted(id, linesOnDisk);
  }

  /** Runs `action` on the mounted tree. */
  mounted<T>(id: SnapshotId, action: (path: string) => T): T {
    using view = this.snapshots.open(id, "ro", this.view);
    return action(view.path);
  }

  /** Runs `action` on the tree, mounted to be written to. */
  writable<T>(id: SnapshotId, action: (path: string) => T): T {
    using view = this.snapshots.open(id, "rw", this.view);
    return action(view.path);
  }

  removeAll(): void {
    const ids = this.snapshots.walk().map(({ id }) => id);
    this.database.transaction(() => {
      for (const id of ids.toReversed()) this.snapshots.markRemoving(id);
    });
    this.snapshots.destroy(...ids.toReversed());
  }

  [Symbol.dispose](): void {
    this.removeAll();
    this.database[Symbol.dispose]();
    rmSync(this.root, { recursive: true, force: true });
  }

  private async pile(
    layers: readonly (readonly Change[])[],
    write: (tar: Buffer, directory: string) => Promise<LayerRemainder>,
  ): Promise<SnapshotId | null> {
    const { snapshots, driver } = this;
    let parent: SnapshotId | null = null;
    const signal = new AbortController().signal;
    for (const changes of layers) {
      const chain = sha256Digest(Buffer.from(crypto.randomUUID())) as Digest & never;
      const id: SnapshotId | undefined = await snapshots.claimChain(
        driver.name,
        chain,
        parent,
        signal,
      );
      if (id === undefined) throw new Error("the chain is new, but it is there");
      await this.layer(id, (directory) => write(layerTar(changes), directory));
      snapshots.commit(id, driver.usage(id));
      parent = id;
    }
    return parent;
  }

  /** Brings a layer in the way that its driver wants it. */
  private async layer(
    id: SnapshotId,
    write: (directory: string) => Promise<LayerRemainder>,
  ): Promise<void> {
    const { snapshots, driver, view } = this;
    if (driver.layers.form === "tree") {
      using tree = new TreeLayer(snapshots, id, view);
      tree.finish(await write(tree.directory));
    } else sealLayer(snapshots, view, id, await write(driver.layers.dir(id)));
  }

  private async unpackElsewhere(tar: Buffer, directory: string): Promise<LayerRemainder> {
    const blob = join(this.root, "blob");
    writeFileSync(blob, tar);
    using unpacker = new Unpacker(UNPACK);
    const size = tar.length;
    const limits = DEFAULT_TAR_LIMITS;
    const into = { form: this.form } as const;
    const plain = { compression: "none", digest: false } as const;
    const job = { blob, ...plain, directory, into, maxBytes: 1 << 30, limits };
    const result = unpacker.unpack(job, () => {});
    unpacker.available(size, true);
    return (await result).remainder;
  }
}

async function writeHere(
  tar: Buffer,
  directory: string,
  form: "overlay" | "image",
): Promise<LayerRemainder> {
  const before = process.cwd();
  const umask = process.umask(0);
  process.chdir(directory);
  try {
    const make = form === "image" ? LayerSink.intoImage : LayerSink.onDisk;
    const sink = make(DEFAULT_TAR_LIMITS);
    sink.push(tar);
    return sink.finish().remainder;
  } finally {
    process.chdir(before);
    process.umask(umask);
  }
}
