import type { HistoryEntry, ImageConfig } from "../oci/image-config.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { ImageLayer } from "./image-store.ts";
import { bytesOf } from "./tree/layer-index.ts";
import type { LayerIndexes } from "./tree/layer-indexes.ts";

/** One step of an image's making. */
export interface HistoryStep {
  /** What the image says of it; undefined for a layer of which it says nothing. */
  readonly entry: HistoryEntry | undefined;
  /** The layer that the step made, if any. */
  readonly layer: ImageLayer | undefined;
}

/**
 * The steps of an image's making, the first one first. Layers that the history doesn't
 * account for come last, as tools that add layers without saying so leave them; a history of
 * more layers than there are is of some other image, and of no use.
 */
export function historySteps(
  config: ImageConfig,
  layers: readonly ImageLayer[],
): readonly HistoryStep[] {
  const told = config.history.filter((entry) => !entry.emptyLayer).length;
  const history = told > layers.length ? [] : config.history;
  const left = layers.toReversed();
  const steps = history.map((entry) => ({
    entry,
    layer: entry.emptyLayer ? undefined : left.pop(),
  }));
  return [...steps, ...left.toReversed().map((layer) => ({ entry: undefined, layer }))];
}

/** What the image says of each of its layers, the base layer first. */
export function layerEntries(
  config: ImageConfig,
  layers: readonly ImageLayer[],
): readonly (HistoryEntry | undefined)[] {
  return historySteps(config, layers)
    .filter(({ layer }) => layer !== undefined)
    .map(({ entry }) => entry);
}

/**
 * What made a layer, for people: without the shell and the marks that builders put around
 * the words of a Dockerfile.
 */
export function shortStep(createdBy: string | undefined): string {
  const text = (createdBy ?? "").replaceAll(/\s+/g, " ").trim();
  const words = text
    .replace(/^\/bin\/sh -c #\(nop\) /, "")
    .replace(/^(RUN )?\/bin\/sh -c /, "RUN ")
    .replace(/ # buildkit$/, "");
  return words.trim();
}

/**
 * Bytes of a layer's files, as its archive states them: as recorded when it was unpacked, by
 * whichever driver, else read from the archive.
 */
export async function layerBytes(
  layer: ImageLayer,
  snapshots: SnapshotStore,
  indexes: LayerIndexes,
): Promise<number> {
  const [driver] = snapshots.driversOf(layer.chainId);
  const snapshot = driver === undefined ? undefined : snapshots.byChain(driver, layer.chainId);
  if (snapshot !== undefined) return snapshot.bytes;
  return bytesOf(await indexes.one(layer));
}
