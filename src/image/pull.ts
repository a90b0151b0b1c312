import { availableParallelism } from "node:os";
import type { StorageOptions } from "../../drivers/driver.ts";
import type { ContentStore } from "../content/content-store.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { chainIds, type Digest, sha256Digest } from "../oci/digest.ts";
import { checkLayerCount, type ImageConfig, parseImageConfig } from "../oci/image-config.ts";
import { type ImageManifest, parseManifest } from "../oci/manifest.ts";
import { noPlatformError, type Platform, selectPlatform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { Database } from "../store/database.ts";
import { Flusher } from "../store/flush.ts";
import { Lease } from "../store/leases.ts";
import type { StorePaths } from "../store/paths.ts";
import { TsimgError } from "../sys/error.ts";
import { recordAccounts } from "./accounts.ts";
import { collect, sweep } from "./collect.ts";
import type { OnLayerEvent } from "./events.ts";
import { fetchLayers } from "./fetch-layers.ts";
import { tellPull } from "./image-events.ts";
import { type Image, type ImageStore, imageName, NO_CHAIN } from "./image-store.ts";
import type { WantedLayer } from "./layer-run.ts";
import { UnpackerPool } from "./unpacker-pool.ts";

export interface PullContext {
  readonly database: Database;
  readonly paths: StorePaths;
  readonly content: ContentStore;
  readonly snapshots: SnapshotStore;
  readonly images: ImageStore;
  readonly client: RegistryClient;
  /** Path of the built unpack program. */
  readonly unpackProgram: string;
}

export interface PullOptions {
  readonly reference: Reference;
  readonly platform: Platform;
  /** Whether somebody asked for the platform, rather than it being this machine's. */
  readonly platformAsked: boolean;
  readonly driver: string;
  /** What the user wants of the driver for this image. */
  readonly storage: StorageOptions;
  readonly parallel: number;
  readonly maxLayerBytes: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnLayerEvent;
  /** Called with the layers in order, before anything happens to them. */
  readonly onLayers: (layers: readonly Descriptor[]) => void;
}

export interface PullResult {
  readonly name: string;
  /** What the reference names in the registry: the manifest or index. */
  readonly target: Digest;
  readonly image: Image;
  /** False when everything was here already. */
  readonly changed: boolean;
}

interface Resolved {
  readonly target: Digest;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifest: ImageManifest;
}

/**
 * Fetches an image, unpacks its layers and gives it its name, in this order: at no moment
 * is there an image of which something is missing.
 *
 * A tag that still means what is here costs one HEAD request.
 *
 * @throws TsimgError of the registry client, of the parsers, of unpacking; nothing but
 *   partial downloads is then left, and not even those when a layer was refused
 */
export async function pullImage(context: PullContext, options: PullOptions): Promise<PullResult> {
  const { images, snapshots, database } = context;
  const { reference, signal } = options;
  snapshots.recover();
  const name = imageName(reference);
  const current = await upToDate(context, options, name);
  if (current !== undefined) {
    tellPull(database, reference);
    return current;
  }
  using unpackers = new UnpackerPool(context.unpackProgram);
  unpackers.startAhead(Math.min(2, availableParallelism()));
  using lease = new Lease(database);
  try {
    const resolved = await resolve(context, options, lease);
    const config = await fetchConfig(context, options, resolved.manifest.config, lease);
    const parsed = parseImageConfig(config);
    checkLayerCount(resolved.manifest, parsed);
    checkPlatform(options, parsed, name);
    const layers = wantedLayers(resolved.manifest, parsed);
    lease.hold(
      "content",
      layers.map((layer) => layer.descriptor.digest),
    );
    lease.hold(
      "chain",
      layers.map((layer) => layer.chainId),
    );
    options.onLayers(layers.map((layer) => layer.descriptor));
    const { root, view, ingests: spools } = context.paths;
    const flusher = new Flusher([root, snapshots.driver(options.driver).home]);
    const fetch = { ...context, flusher, unpackers, view, spools };
    const top = await fetchLayers(fetch, layers, options);
    if (top !== null) recordAccounts(snapshots, view, top);
    const image = describe(resolved, config, parsed, layers, snapshots, options.driver);
    images.put(
      name,
      resolved.target,
      image,
      layers.map((layer) => imageLayer(layer)),
    );
    tellPull(database, reference);
    return { name, target: resolved.target, image, changed: true };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    lease[Symbol.dispose]();
    collect(context);
    sweep(context);
    throw error;
  }
}

/** A manifest without an index is for one platform: fine unless another was asked for. */
function checkPlatform(
  { platform, platformAsked }: PullOptions,
  config: ImageConfig,
  name: string,
) {
  const matches = config.os === platform.os && config.architecture === platform.architecture;
  if (matches || !platformAsked || config.architecture === "") return;
  const found = `${config.os}/${config.architecture}`;
  throw new TsimgError("ERR_PLATFORM", `'${name}' is for ${found} only`, {
    hint: `leave out --platform, or ask for ${found}`,
  });
}

/** The image that is here, when the registry still means it by this name. */
async function upToDate(
  context: PullContext,
  { reference, signal, driver, platform }: PullOptions,
  name: string,
): Promise<PullResult | undefined> {
  const { images, snapshots, content } = context;
  const known = images.byName(name);
  const image = known === undefined ? undefined : images.get(known.manifest);
  if (known === undefined || image === undefined) return undefined;
  if (image.architecture !== platform.architecture || image.os !== platform.os) return undefined;
  if (
    platform.variant !== undefined &&
    image.variant !== null &&
    image.variant !== platform.variant
  )
    return undefined;
  const complete = images
    .layers(image.digest)
    .every(
      (layer) =>
        content.size(layer.digest) !== undefined &&
        snapshots.byChain(driver, layer.chainId) !== undefined,
    );
  if (!complete) return undefined;
  // A digest can't come to mean anything else.
  if (reference.digest === undefined) {
    const target = await context.client.resolve(reference, signal);
    if (target.digest !== known.target) return undefined;
  }
  return { name, target: known.target, image, changed: false };
}

async function resolve(
  context: PullContext,
  { reference, platform, signal }: PullOptions,
  lease: Lease,
): Promise<Resolved> {
  const { client, content } = context;
  const first = await client.fetchManifest(
    reference,
    reference.digest ?? reference.tag ?? "latest",
    signal,
  );
  const parsed = parseManifest(first.bytes, first.descriptor.mediaType);
  const target = first.descriptor.digest;
  lease.hold("content", [target]);
  content.write(first.bytes);
  if (parsed.kind === "image")
    return { target, digest: target, mediaType: parsed.mediaType, manifest: parsed };
  const chosen = selectPlatform(parsed.manifests, platform);
  if (chosen === undefined) throw noPlatformError(parsed.manifests, platform, imageName(reference));
  const second = await client.fetchManifest(reference, chosen.digest, signal);
  if (second.bytes.length !== chosen.size)
    throw new TsimgError(
      "ERR_SIZE_MISMATCH",
      `manifest '${chosen.digest}' has ${second.bytes.length} bytes, its descriptor says ${chosen.size}`,
    );
  const manifest = parseManifest(second.bytes, chosen.mediaType || second.descriptor.mediaType);
  if (manifest.kind === "index")
    throw new TsimgError(
      "ERR_MANIFEST_UNSUPPORTED",
      `manifest '${chosen.digest}' is an index inside an index`,
    );
  lease.hold("content", [chosen.digest]);
  content.write(second.bytes);
  return { target, digest: chosen.digest, mediaType: manifest.mediaType, manifest };
}

async function fetchConfig(
  { client, content }: PullContext,
  { reference, signal }: PullOptions,
  descriptor: Descriptor,
  lease: Lease,
): Promise<Buffer> {
  lease.hold("content", [descriptor.digest]);
  const here = content.read(descriptor.digest);
  if (here !== undefined) return here;
  const chunks: Buffer[] = [];
  const sink = {
    offset: 0,
    write(chunk: Buffer) {
      chunks.push(Buffer.from(chunk));
      this.offset += chunk.length;
    },
    restart() {
      chunks.length = 0;
      this.offset = 0;
    },
  };
  await client.downloadBlob(reference, descriptor, sink, signal);
  const bytes = Buffer.concat(chunks);
  const digest = sha256Digest(bytes);
  if (digest !== descriptor.digest)
    throw new TsimgError(
      "ERR_DIGEST_MISMATCH",
      `image config '${descriptor.digest}' has the digest ${digest}`,
      {
        hint: "the registry or something on the way altered it",
      },
    );
  content.write(bytes);
  return bytes;
}

function wantedLayers(manifest: ImageManifest, config: ImageConfig): WantedLayer[] {
  const chain = chainIds(config.rootfs.diffIds);
  return manifest.layers.flatMap((descriptor, index) => {
    const [diffId, chainId] = [config.rootfs.diffIds[index], chain[index]];
    return diffId === undefined || chainId === undefined ? [] : [{ descriptor, diffId, chainId }];
  });
}

function imageLayer({ descriptor, diffId, chainId }: WantedLayer) {
  const { digest, size, mediaType } = descriptor;
  return { digest, size, mediaType, diffId, chainId };
}

function describe(
  resolved: Resolved,
  config: Buffer,
  parsed: ImageConfig,
  layers: readonly WantedLayer[],
  snapshots: SnapshotStore,
  driver: string,
): Image {
  const sizes = layers.map((layer) => snapshots.byChain(driver, layer.chainId)?.bytes ?? 0);
  return {
    digest: resolved.digest,
    mediaType: resolved.mediaType,
    configDigest: resolved.manifest.config.digest,
    config: config.toString(),
    created: parsed.created ?? null,
    architecture: parsed.architecture,
    os: parsed.os,
    variant: parsed.variant ?? null,
    size: sizes.reduce((sum, size) => sum + size, 0),
    chainId: layers.at(-1)?.chainId ?? NO_CHAIN,
  };
}
