import type { ContentStore } from "../content/content-store.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { StorePaths } from "../store/paths.ts";
import { layerEntries } from "./history.ts";
import type { Image, ImageLayer, ImageStore } from "./image-store.ts";
import { applyLayer } from "./tree/apply-layer.ts";
import { ImageTree, type LayerChanges } from "./tree/image-tree.ts";
import { bytesOf } from "./tree/layer-index.ts";
import { LayerIndexes } from "./tree/layer-indexes.ts";

export interface LayersContext {
  readonly images: ImageStore;
  readonly content: ContentStore;
  readonly snapshots: SnapshotStore;
  readonly paths: StorePaths;
}

/** Where a driver keeps a layer. */
export interface LayerPlace {
  readonly driver: string;
  readonly snapshot: string;
  /** By docker's GraphDriver names. */
  readonly paths: Readonly<Record<string, string>>;
}

/** What there is to be said of one layer. */
export interface LayerReport extends LayerChanges {
  /** 1 is the base. */
  readonly number: number;
  readonly layer: ImageLayer;
  /** Sum of its files' sizes, in bytes. */
  readonly bytes: number;
  /** As in the image's history; empty when that says nothing. */
  readonly createdBy: string;
  readonly places: readonly LayerPlace[];
}

export interface ImageLayers {
  readonly tree: ImageTree;
  readonly layers: readonly LayerReport[];
}

/**
 * An image's tree with what each layer did to it, the base layer first, from the layers'
 * archives: the same with every driver, and when it is unpacked in none.
 *
 * @throws TsimgError ERR_STORE when a blob is gone
 */
export async function readImageLayers(
  context: LayersContext,
  image: Image,
  signal: AbortSignal,
): Promise<ImageLayers> {
  const { images, content, paths } = context;
  const layers = images.layers(image.digest);
  const entries = layerEntries(parseImageConfig(Buffer.from(image.config)), layers);
  const indexes = await new LayerIndexes(content, paths).all(layers, signal);
  const tree = new ImageTree();
  const reports = indexes.flatMap((index, at) => {
    const layer = layers[at];
    if (layer === undefined) return [];
    return {
      number: at + 1,
      layer,
      bytes: bytesOf(index),
      createdBy: entries[at]?.createdBy ?? "",
      places: placesOf(context.snapshots, layer),
      ...applyLayer(tree, index),
    };
  });
  return { tree, layers: reports };
}

function placesOf(snapshots: SnapshotStore, layer: ImageLayer): readonly LayerPlace[] {
  return snapshots.driversOf(layer.chainId).flatMap((driver) => {
    const snapshot = snapshots.byChain(driver, layer.chainId);
    if (snapshot === undefined) return [];
    return { driver, snapshot: snapshot.id, paths: snapshots.paths(snapshot.id) };
  });
}
