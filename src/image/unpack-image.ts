import type { StorageOptions } from "../../drivers/driver.ts";
import type { ContentStore } from "../content/content-store.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { parseReference } from "../oci/reference.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { Database } from "../store/database.ts";
import { Flusher } from "../store/flush.ts";
import { Lease } from "../store/leases.ts";
import type { StorePaths } from "../store/paths.ts";
import { TsimgError } from "../sys/error.ts";
import { recordAccounts } from "./accounts.ts";
import type { OnLayerEvent } from "./events.ts";
import { fetchLayers } from "./fetch-layers.ts";
import type { Image, ImageStore } from "./image-store.ts";
import type { WantedLayer } from "./layer-run.ts";
import { UnpackerPool } from "./unpacker-pool.ts";

export interface UnpackContext {
  readonly database: Database;
  readonly paths: StorePaths;
  readonly content: ContentStore;
  readonly snapshots: SnapshotStore;
  readonly images: ImageStore;
  /** Path of the built unpack program. */
  readonly unpackProgram: string;
}

export interface UnpackOptions {
  /** As the user names the image. */
  readonly name: string;
  readonly driver: string;
  readonly storage: StorageOptions;
  readonly maxLayerBytes: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnLayerEvent;
  readonly onLayers: (layers: readonly Descriptor[]) => void;
}

/**
 * Unpacks an image whose layers are in the store into one more driver, without asking any
 * registry.
 *
 * @throws TsimgError ERR_NO_SUCH_IMAGE when the store lacks a layer; as unpacking does
 */
export async function unpackImage(
  context: UnpackContext,
  image: Image,
  options: UnpackOptions,
): Promise<void> {
  const { database, snapshots, content, paths } = context;
  snapshots.recover();
  using lease = new Lease(database);
  const layers = layersOf(context, image);
  const digests = layers.map((layer) => layer.descriptor.digest);
  lease.hold("manifest", [image.digest]);
  lease.hold("content", digests);
  lease.hold(
    "chain",
    layers.map((layer) => layer.chainId),
  );
  const missing = digests.find((digest) => content.size(digest) === undefined);
  if (missing !== undefined) throw absent(options.name, missing);
  using unpackers = new UnpackerPool(context.unpackProgram);
  options.onLayers(layers.map((layer) => layer.descriptor));
  const flusher = new Flusher([paths.root, snapshots.driver(options.driver).home]);
  const client = {
    downloadBlob: (_reference: unknown, { digest }: Descriptor) =>
      Promise.reject(absent(options.name, digest)),
  };
  const top = await fetchLayers(
    { ...context, client, flusher, unpackers, view: paths.view, spools: paths.ingests },
    layers,
    // No registry is asked, so that it doesn't matter what the image is called there.
    { ...options, reference: parseReference("local/image"), parallel: 1 },
  );
  if (top !== null) recordAccounts(snapshots, paths.view, top);
}

function layersOf({ images }: UnpackContext, image: Image): WantedLayer[] {
  return images.layers(image.digest).map(({ digest, size, mediaType, diffId, chainId }) => ({
    descriptor: { digest, size, mediaType },
    diffId,
    chainId,
  }));
}

function absent(name: string, digest: string): TsimgError {
  return new TsimgError("ERR_NO_SUCH_IMAGE", `image '${name}' lacks the layer '${digest}'`, {
    hint: `pull it again: tsimg pull ${name}`,
  });
}
