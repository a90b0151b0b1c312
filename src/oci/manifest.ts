import { TsimgError } from "../sys/error.ts";
import { type Descriptor, parseDescriptor } from "./descriptor.ts";
import {
  asArray,
  asString,
  invalid,
  type JsonObject,
  member,
  optional,
  type Place,
  parseJsonObject,
  quoteForMessage,
} from "./document.ts";
import {
  bareMediaType,
  CONFIG_TYPES,
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  findLayerCompression,
  GENERIC_TYPES,
  INDEX_TYPES,
  type LayerCompression,
  MANIFEST_TYPES,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA_1_TYPES,
} from "./media-types.ts";

/** Images for several platforms. */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

/** One image: its configuration and its layers, the base layer first. */
export interface ImageManifest {
  readonly kind: "image";
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export const MAX_MANIFEST_SIZE = 4 * 1024 * 1024;
export const MAX_CONFIG_SIZE = 8 * 1024 * 1024;
export const MAX_LAYERS = 1000;
const MAX_INDEX_ENTRIES = 10_000;

const DOCUMENT: Place = { what: "manifest:", code: "ERR_MANIFEST_INVALID" };

/**
 * Reads an OCI image manifest or index, or docker's schema 2 manifest or list.
 *
 * @param contentType as the registry or the descriptor states it. A generic type or none leaves
 *   the decision to the document; any other must not contradict the document's own `mediaType`
 * @throws TsimgError ERR_MANIFEST_UNSUPPORTED for schema 1, artifacts and unknown types,
 *   ERR_MANIFEST_INVALID for what breaks the specification
 * @see OCI image-spec 1.1, manifest.md and image-index.md
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
): ImageIndex | ImageManifest {
  const stated = bareMediaType(contentType ?? "");
  if (SCHEMA_1_TYPES.has(stated)) throw schema1();
  const document = parseJsonObject(bytes, MAX_MANIFEST_SIZE, { ...DOCUMENT, what: "manifest" });
  const mediaType = decideMediaType(document, stated);
  return INDEX_TYPES.has(mediaType)
    ? parseIndex(document, mediaType)
    : parseImage(document, mediaType);
}

/**
 * The type to record for a manifest: what the registry states, or when that is generic, what
 * the document says or looks like. Undefined when neither tells.
 */
export function manifestMediaType(
  bytes: Uint8Array,
  contentType: string | undefined,
): string | undefined {
  const stated = bareMediaType(contentType ?? "");
  if (!GENERIC_TYPES.has(stated)) return stated;
  try {
    const document = parseJsonObject(bytes, MAX_MANIFEST_SIZE, DOCUMENT);
    return embeddedMediaType(document) ?? typeByShape(document);
  } catch {
    return undefined;
  }
}

/**
 * How a layer of this type is compressed. Layers that must not be pushed
 * (`nondistributable`, `foreign`) are like all others here.
 *
 * @throws TsimgError ERR_MANIFEST_UNSUPPORTED when it is no type of a layer
 */
export function layerCompression(mediaType: string): LayerCompression {
  const compression = findLayerCompression(mediaType);
  if (compression !== undefined) return compression;
  throw unsupported(
    `layers of type ${quoteForMessage(mediaType)} are not supported`,
    "layers are tar archives, plain or compressed by gzip or zstd; others are encrypted or no file trees",
  );
}

function decideMediaType(document: JsonObject, stated: string): string {
  if (document["schemaVersion"] === 1 || hasMember(document, "fsLayers")) throw schema1();
  if (
    hasMember(document, "manifests") &&
    (hasMember(document, "layers") || hasMember(document, "config"))
  ) {
    throw invalid(DOCUMENT, "it is both an image and an index, so that tools would disagree on it");
  }
  const embedded = embeddedMediaType(document);
  const claimed = GENERIC_TYPES.has(stated) ? undefined : stated;
  if (claimed !== undefined && embedded !== undefined && claimed !== embedded) {
    const [sent, said] = [quoteForMessage(claimed), quoteForMessage(embedded)];
    throw invalid(DOCUMENT, `it is served as ${sent} but calls itself ${said}`);
  }
  const mediaType = claimed ?? embedded ?? typeByShape(document);
  if (mediaType !== undefined && (INDEX_TYPES.has(mediaType) || MANIFEST_TYPES.has(mediaType))) {
    return mediaType;
  }
  throw unsupported(
    mediaType === undefined
      ? "the document is neither an image manifest nor an index"
      : `manifests of type ${quoteForMessage(mediaType)} are not supported`,
    "OCI and docker schema 2 images can be pulled",
  );
}

function embeddedMediaType(document: JsonObject): string | undefined {
  const text = optional(document, "mediaType", DOCUMENT, asString);
  return text === undefined || text === "" ? undefined : bareMediaType(text);
}

function typeByShape(document: JsonObject): string | undefined {
  if (hasMember(document, "manifests")) return OCI_INDEX;
  if (hasMember(document, "layers") && hasMember(document, "config")) return OCI_MANIFEST;
  return undefined;
}

function hasMember(document: JsonObject, key: string): boolean {
  return Object.hasOwn(document, key) && document[key] !== null;
}

function parseIndex(document: JsonObject, mediaType: string): ImageIndex {
  checkSchemaVersion(document, mediaType === DOCKER_INDEX);
  const place = member(DOCUMENT, "manifests");
  const manifests = asArray(document["manifests"], MAX_INDEX_ENTRIES, place);
  return {
    kind: "index",
    mediaType,
    manifests: manifests.map((entry, at) => parseDescriptor(entry, member(place, at))),
  };
}

function parseImage(document: JsonObject, mediaType: string): ImageManifest {
  checkSchemaVersion(document, mediaType === DOCKER_MANIFEST);
  const config = parseDescriptor(document["config"], member(DOCUMENT, "config"));
  refuseArtifact(document, config, mediaType);
  if (config.size > MAX_CONFIG_SIZE) {
    throw invalid(member(DOCUMENT, "config"), `is larger than ${MAX_CONFIG_SIZE} bytes`);
  }
  const place = member(DOCUMENT, "layers");
  const layers = asArray(document["layers"], MAX_LAYERS, place).map((entry, at) =>
    parseDescriptor(entry, member(place, at)),
  );
  for (const layer of layers) layerCompression(layer.mediaType);
  return { kind: "image", mediaType, config, layers };
}

function checkSchemaVersion(document: JsonObject, required: boolean): void {
  const version = document["schemaVersion"];
  if (version === 2 || (version === undefined && !required)) return;
  const shown = quoteForMessage(JSON.stringify(version) ?? "missing");
  throw invalid(member(DOCUMENT, "schemaVersion"), `is ${shown}, not 2`);
}

function refuseArtifact(document: JsonObject, config: Descriptor, mediaType: string): void {
  const artifactType = optional(document, "artifactType", DOCUMENT, asString);
  const imageConfig =
    CONFIG_TYPES.has(config.mediaType) ||
    // docker up to 1.11 pushed configurations without a type of their own.
    (mediaType === DOCKER_MANIFEST && config.mediaType === "application/octet-stream");
  if (imageConfig && (!artifactType || artifactType === OCI_CONFIG)) return;
  const type = quoteForMessage(artifactType || config.mediaType);
  throw unsupported(
    `it is an artifact of type ${type}, not a container image`,
    "only container images have file trees to unpack; use the tool that made the artifact",
  );
}

function schema1(): TsimgError {
  return unsupported(
    "manifests of docker's schema 1 are not supported",
    "they can't be verified layer by layer: push the image again with docker 1.10 or later",
  );
}

function unsupported(message: string, hint: string): TsimgError {
  return new TsimgError("ERR_MANIFEST_UNSUPPORTED", message, { hint });
}
