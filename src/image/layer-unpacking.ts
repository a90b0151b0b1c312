import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { SnapshotId } from "../../drivers/driver.ts";
import type { UnpackResult } from "../layer/remainder.ts";
import { DEFAULT_TAR_LIMITS } from "../layer/tar/limits.ts";
import type { UnpackJob } from "../layer/unpack-messages.ts";
import { layerCompression } from "../oci/manifest.ts";
import { hasOneId } from "../sys/user-namespace.ts";
import type { BlobDownload } from "./blob-download.ts";
import { checkDiffId, naming } from "./layer-error.ts";
import type { FetchContext, FetchOptions, WantedLayer } from "./layer-run.ts";
import { sealLayer } from "./seal-layer.ts";
import { Slots } from "./slots.ts";
import { Spool } from "./spool.ts";
import { TreeLayer } from "./tree-layer.ts";

/**
 * Layers unpacked at the same time. One more than there are cores was no faster beyond the
 * noise (2.42 s against 2.52), and took 200 MiB at the peak in place of 168.
 */
const UNPACKERS = Math.max(2, availableParallelism());
/** Layers inflated ahead of the one that is written, where each is written onto the last. */
const SPOOLS = 3;

/** What unpacking needs to know of the fetch that it is a part of. */
export interface LayerSource {
  /** The layer's blob, once it is known where its bytes are. */
  begun(layer: WantedLayer): Promise<BlobDownload>;
  /** Kept when all of the blob is here. */
  arrived(layer: WantedLayer): Promise<void>;
  report(layer: WantedLayer, phase: "unpacking" | "stitching", current: number): void;
  /** So that nothing is undone while a process may still write. */
  watch<T>(task: Promise<T>): Promise<T>;
}

/** Unpacks the layers of one fetch into its driver, in the way that the driver wants it. */
export class LayerUnpacking {
  private readonly context: FetchContext;
  private readonly options: FetchOptions;
  private readonly source: LayerSource;
  private readonly unpackSlots = new Slots(UNPACKERS);
  private readonly spoolSlots = new Slots(SPOOLS);

  constructor(context: FetchContext, options: FetchOptions, source: LayerSource) {
    this.context = context;
    this.options = options;
    this.source = source;
  }

  /** @param below kept when the layer below is sealed */
  unpackAndSeal(
    layer: WantedLayer,
    id: SnapshotId,
    below: Promise<unknown>,
  ): Promise<UnpackResult> {
    const { form } = this.context.snapshots.driverOf(id).layers;
    if (form === "tree") return this.unpackOnto(layer, id, below);
    return this.unpackApart(layer, id, below);
  }

  /** Unpacks at once; seals after the layer below is sealed. */
  private async unpackApart(
    layer: WantedLayer,
    id: SnapshotId,
    below: Promise<unknown>,
  ): Promise<UnpackResult> {
    const { descriptor } = layer;
    const { context, options } = this;
    const { layers } = context.snapshots.driverOf(id);
    if (layers.form === "tree") throw new Error("the layers of this driver are not apart");
    // Watched, so that nothing is undone while an unpack process may still write.
    const unpacking = this.source.watch(
      this.unpackSlots.run(options.signal, () =>
        this.unpack(layer, { directory: layers.dir(id), into: { form: layers.form } }),
      ),
    );
    const [result] = await Promise.all([unpacking, this.source.arrived(layer)]);
    checkDiffId(layer, result);
    await below;
    options.signal.throwIfAborted();
    this.source.report(layer, "stitching", descriptor.size);
    await naming(descriptor.digest, layers.dir(id), () =>
      sealLayer(context.snapshots, context.view, id, result.remainder),
    );
    return result;
  }

  /** Inflates at once; unpacks and seals after the layer below is sealed. */
  private unpackOnto(
    layer: WantedLayer,
    id: SnapshotId,
    below: Promise<unknown>,
  ): Promise<UnpackResult> {
    const { context, options } = this;
    const { descriptor } = layer;
    return this.spoolSlots.run(options.signal, async () => {
      using spool = new Spool(context.spools);
      const inflating = this.source.watch(this.inflate(layer, spool));
      await below;
      options.signal.throwIfAborted();
      const { home } = context.snapshots.driverOf(id);
      using tree = await naming(
        descriptor.digest,
        home,
        () => new TreeLayer(context.snapshots, id, context.view, options.storage),
      );
      const written = this.source.watch(this.unpackSpool(layer, spool, tree, home));
      const arrived = this.source.arrived(layer);
      const [inflated, result] = await Promise.all([inflating, written, arrived]);
      checkDiffId(layer, inflated);
      options.signal.throwIfAborted();
      this.source.report(layer, "stitching", descriptor.size);
      await naming(descriptor.digest, home, () => tree.finish(result.remainder));
      return result;
    });
  }

  private async inflate(layer: WantedLayer, spool: Spool): Promise<UnpackResult> {
    const { view } = this.context;
    mkdirSync(view, { recursive: true });
    const into = { form: "spool", file: spool.path } as const;
    const result = await this.unpack(layer, { directory: view, into }, (bytes) =>
      spool.grew(bytes),
    );
    spool.complete(result.bytes);
    return result;
  }

  private unpackSpool(
    layer: WantedLayer,
    spool: Spool,
    tree: TreeLayer,
    home: string,
  ): Promise<UnpackResult> {
    const job = {
      blob: spool.path,
      compression: "none",
      directory: tree.directory,
      into: { form: "overlay" },
      maxBytes: this.options.maxLayerBytes,
      limits: DEFAULT_TAR_LIMITS,
      oneOwner: hasOneId(),
      digest: false,
    } as const;
    return this.context.unpackers.use((unpacker) => {
      const unpacked = unpacker.unpack(job, () => {});
      spool.follow((available, last) => unpacker.available(available, last));
      return naming(layer.descriptor.digest, home, () => unpacked);
    });
  }

  private async unpack(
    layer: WantedLayer,
    target: Pick<UnpackJob, "directory" | "into">,
    onInflated: (bytes: number) => void = () => {},
  ): Promise<UnpackResult> {
    const { descriptor } = layer;
    const { context, options } = this;
    const download = await this.source.begun(layer);
    options.signal.throwIfAborted();
    const job = {
      blob: download.path,
      compression: layerCompression(descriptor.mediaType),
      maxBytes: options.maxLayerBytes,
      limits: DEFAULT_TAR_LIMITS,
      oneOwner: hasOneId(),
      digest: true,
      ...target,
    };
    return context.unpackers.use(async (unpacker) => {
      const follow = (available: number) =>
        unpacker.available(available, available === descriptor.size);
      const unpacked = unpacker.unpack(job, (position, inflated) => {
        onInflated(inflated);
        if (download.state === "complete") this.source.report(layer, "unpacking", position);
      });
      follow(download.available);
      download.followers.push(follow);
      const place = job.into.form === "spool" ? context.spools : job.directory;
      return naming(descriptor.digest, place, () => unpacked);
    });
  }
}
