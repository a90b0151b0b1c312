import { type Digest, parseDigest } from "./digest.ts";
import {
  asArray,
  asInteger,
  asObject,
  asString,
  asStringMap,
  type JsonObject,
  member,
  optional,
  type Place,
} from "./document.ts";
import type { Platform } from "./platform.ts";

/** What points at a blob: its type, its name and its exact size in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  /** Where else the blob may be fetched: foreign layers. */
  readonly urls?: readonly string[];
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** No blob is larger: 8 TiB, far below where numbers stop being exact. */
export const MAX_BLOB_SIZE = 2 ** 43;

const MAX_URLS = 100;

/** @see OCI image-spec 1.1, descriptor.md */
export function parseDescriptor(value: unknown, place: Place): Descriptor {
  const object = asObject(value, place);
  const mediaType = asString(object["mediaType"], member(place, "mediaType"));
  const digestPlace = member(place, "digest");
  const digest = parseDigest(object["digest"], digestPlace.what, digestPlace.code);
  const size = asInteger(object["size"], 0, MAX_BLOB_SIZE, member(place, "size"));
  const platform = optional(object, "platform", place, parsePlatformObject);
  const urls = optional(object, "urls", place, parseUrls);
  const artifactType = optional(object, "artifactType", place, asString);
  const annotations = optional(object, "annotations", place, asStringMap);
  return {
    mediaType,
    digest,
    size,
    ...(platform && { platform }),
    ...(urls && urls.length > 0 && { urls }),
    ...(artifactType && { artifactType }),
    ...(annotations && { annotations }),
  };
}

function parseUrls(value: unknown, place: Place): readonly string[] {
  return asArray(value, MAX_URLS, place).map((url, at) => asString(url, member(place, at)));
}

function parsePlatformObject(value: unknown, place: Place): Platform {
  const object: JsonObject = asObject(value, place);
  const variant = optional(object, "variant", place, asString);
  return {
    os: optional(object, "os", place, asString) ?? "",
    architecture: optional(object, "architecture", place, asString) ?? "",
    ...(variant && { variant }),
  };
}
