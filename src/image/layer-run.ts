import type { SnapshotId, StorageOptions } from "../../drivers/driver.ts";
import type { ContentStore } from "../content/content-store.ts";
import type { UnpackResult } from "../layer/remainder.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ChainId, DiffId, Digest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { Flusher } from "../store/flush.ts";
import { BlobDownload, type BlobSource } from "./blob-download.ts";
import type { OnLayerEvent } from "./events.ts";
import { LayerUnpacking } from "./layer-unpacking.ts";
import { Slots } from "./slots.ts";
import type { UnpackerPool } from "./unpacker-pool.ts";

export interface FetchContext {
  readonly content: ContentStore;
  readonly snapshots: SnapshotStore;
  readonly flusher: Flusher;
  readonly client: BlobSource;
  readonly unpackers: UnpackerPool;
  /** An empty directory, see `SnapshotStore.open`. */
  readonly view: string;
  /** Where inflated layers wait. */
  readonly spools: string;
}

export interface WantedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
  readonly chainId: ChainId;
}

export interface FetchOptions {
  readonly driver: string;
  /** What the user wants of the driver for these layers. */
  readonly storage: StorageOptions;
  readonly reference: Reference;
  /** Layers downloaded at the same time. */
  readonly parallel: number;
  /** Bytes that one layer may have when decompressed. */
  readonly maxLayerBytes: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnLayerEvent;
}

/**
 * One fetch of an image's layers while it goes on. Where layers are written apart:
 *
 *     download ─▶ unpack ─▶ seal (after the layer below is sealed) ─▶ commit (after it is
 *                                                     flushed, and the layer below committed)
 *
 * Where each is written onto a copy of its parent:
 *
 *     download ─▶ inflate ─▶ unpack (after the layer below is sealed) ─▶ seal ─▶ commit
 */
export class LayerRun implements Disposable {
  private readonly context: FetchContext;
  private readonly options: FetchOptions;
  private readonly downloads = new Map<Digest, BlobDownload>();
  private readonly arrivals = new Map<Digest, Promise<void>>();
  private readonly claimed: SnapshotId[] = [];
  private early = false;
  private readonly tasks: Promise<unknown>[] = [];
  private readonly downloadSlots: Slots;
  private readonly unpacking: LayerUnpacking;

  constructor(context: FetchContext, options: FetchOptions) {
    this.context = context;
    this.options = options;
    this.downloadSlots = new Slots(options.parallel);
    this.unpacking = new LayerUnpacking(context, options, {
      begun: (layer) => this.begun(layer.descriptor),
      arrived: async (layer) => this.arrivals.get(layer.descriptor.digest),
      report: (layer, phase, current) => this.report(layer, phase, current),
      watch: (task) => this.watch(task),
    });
  }

  async all(layers: readonly WantedLayer[]): Promise<SnapshotId | null> {
    for (const layer of layers) this.report(layer, "waiting", 0);
    for (const { descriptor } of layers) this.fetch(descriptor);
    const arrived = this.watch(Promise.all(this.arrivals.values()));
    const [top] = await Promise.all([this.unpackAll(layers), arrived]);
    await this.publishRest();
    return top;
  }

  /**
   * From now on blobs are published as soon as they are here: this pull waits for another
   * one, which may in turn wait for a blob that this one has fetched.
   */
  private publishEarly(): void {
    if (this.early) return;
    this.early = true;
    void this.watch(this.publishRest());
  }

  /** Blobs of layers that are not unpacked by this pull, or not yet. */
  private async publishRest(): Promise<void> {
    const rest = [...this.downloads.values()].filter((download) => download.unpublished);
    if (rest.length === 0) return;
    await this.context.flusher.flush();
    for (const download of rest) download.publish();
  }

  /** Waits until nothing runs any more, however it ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.tasks, ...this.arrivals.values()]);
  }

  undo(discard: boolean): void {
    for (const id of this.claimed.toReversed()) {
      const snapshot = this.context.snapshots.get(id);
      if (snapshot?.state === "creating") this.context.snapshots.remove(id);
    }
    if (discard) for (const download of this.downloads.values()) download.discard();
  }

  [Symbol.dispose](): void {
    for (const download of this.downloads.values()) download[Symbol.dispose]();
  }

  private async unpackAll(layers: readonly WantedLayer[]): Promise<SnapshotId | null> {
    let parent: SnapshotId | null = null;
    let sealed: Promise<unknown> = Promise.resolve();
    let committed: Promise<unknown> = sealed;
    for (const layer of layers) {
      const { snapshots } = this.context;
      const { driver, signal } = this.options;
      const id: SnapshotId | undefined = await snapshots.claimChain(
        driver,
        layer.chainId,
        parent,
        signal,
        () => this.publishEarly(),
        this.options.storage,
      );
      if (id === undefined) {
        this.report(layer, "exists", layer.descriptor.size);
        parent = snapshots.byChain(driver, layer.chainId)?.id ?? null;
        continue;
      }
      this.claimed.push(id);
      const result = this.watch(this.unpacking.unpackAndSeal(layer, id, sealed));
      committed = this.watch(this.commit(layer, id, result, committed));
      sealed = result;
      parent = id;
    }
    await committed;
    return parent;
  }

  /** Layers that are sealed while the disk is flushed share the next flush. */
  private async commit(
    layer: WantedLayer,
    id: SnapshotId,
    sealed: Promise<UnpackResult>,
    below: Promise<unknown>,
  ): Promise<void> {
    const { bytes, entries } = await sealed;
    await this.context.flusher.flush();
    await below;
    this.options.signal.throwIfAborted();
    this.downloads.get(layer.descriptor.digest)?.publish();
    this.context.snapshots.commit(id, { bytes, inodes: entries });
    this.report(layer, "done", layer.descriptor.size);
  }

  private fetch(descriptor: Descriptor): void {
    if (this.downloads.has(descriptor.digest)) return;
    const { context, options } = this;
    const download = new BlobDownload(context.content, descriptor);
    this.downloads.set(descriptor.digest, download);
    const arrival = this.downloadSlots.run(options.signal, async () => {
      await download.begin(options.signal, () => this.publishEarly());
      if (download.state === "downloading")
        download.followers.push((available) =>
          options.onEvent({
            digest: descriptor.digest,
            phase: "downloading",
            current: available,
            total: descriptor.size,
          }),
        );
      await download.finish(context.client, options.reference, options.signal);
      if (this.early) await this.publishRest();
    });
    // It may have failed before it began.
    arrival.catch((error: unknown) => download.fail(error));
    this.arrivals.set(descriptor.digest, arrival);
  }

  /** The blob's download, once it is known where its bytes are. */
  private async begun(descriptor: Descriptor): Promise<BlobDownload> {
    const download = this.downloads.get(descriptor.digest);
    if (download === undefined) throw new Error(`no download of ${descriptor.digest}`);
    await download.begun;
    return download;
  }

  private watch<T>(task: Promise<T>): Promise<T> {
    this.tasks.push(task);
    // Whoever awaits it hears of a failure; until then it is not unhandled.
    task.catch(() => {});
    return task;
  }

  private report(layer: WantedLayer, phase: Parameters<OnLayerEvent>[0]["phase"], current: number) {
    const { digest, size } = layer.descriptor;
    this.options.onEvent({ digest, phase, current, total: size });
  }
}
