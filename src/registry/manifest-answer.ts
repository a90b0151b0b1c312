import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../oci/digest.ts";
import { MAX_MANIFEST_SIZE, manifestMediaType } from "../oci/manifest.ts";
import { ACCEPTED_MANIFEST_TYPES, bareMediaType, GENERIC_TYPES } from "../oci/media-types.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { TsimgError } from "../sys/error.ts";
import type { Purpose } from "./failure.ts";
import type { HttpAnswer } from "./transport.ts";

export interface FetchedManifest {
  readonly bytes: Buffer;
  /** Size and digest are those of `bytes`. */
  readonly descriptor: Descriptor;
}

/** Of requests for manifests. */
export const MANIFEST_HEADERS = { accept: ACCEPTED_MANIFEST_TYPES.join(", ") };

/** What a request for a manifest is called when it fails. */
export function manifestPurpose(reference: Reference): Purpose {
  return {
    what: `manifest for "${formatReference(reference)}"`,
    registry: reference.registry,
    repository: reference.repository,
    missing: "ERR_MANIFEST_UNKNOWN",
  };
}

/** Undefined when the headers don't tell all: the manifest itself has to be fetched then. */
export function describeHead(answer: HttpAnswer, reference: Reference): Descriptor | undefined {
  const { "docker-content-digest": digest, "content-length": length } = answer.headers;
  const mediaType = bareMediaType(answer.headers["content-type"] ?? "");
  if (typeof digest !== "string" || !isDigest(digest)) return undefined;
  if (length === undefined || GENERIC_TYPES.has(mediaType)) return undefined;
  const size = Number(length);
  if (size > MAX_MANIFEST_SIZE) {
    const what = manifestPurpose(reference).what;
    throw new TsimgError(
      "ERR_MANIFEST_INVALID",
      `${what} has ${size} bytes, where ${MAX_MANIFEST_SIZE} are the limit`,
    );
  }
  return { mediaType, digest: digest as Digest, size };
}

/** @throws TsimgError ERR_DIGEST_MISMATCH when the bytes are not those that were asked for */
export function describeBody(
  bytes: Buffer,
  answer: HttpAnswer,
  name: string,
  what: string,
): FetchedManifest {
  const header = answer.headers["docker-content-digest"];
  const claimed = typeof header === "string" && isDigest(header) ? header : undefined;
  const expected = (isDigest(name) ? name : claimed) as Digest | undefined;
  const algorithm = expected === undefined ? "sha256" : digestAlgorithm(expected);
  const digest = digestOf(bytes, algorithm);
  if (expected !== undefined && digest !== expected) throw digestMismatch(what, expected, digest);
  const mediaType = manifestMediaType(bytes, answer.headers["content-type"]) ?? "";
  return { bytes, descriptor: { mediaType, digest, size: bytes.length } };
}

export function digestMismatch(what: string, expected: Digest, found: Digest): TsimgError {
  return new TsimgError("ERR_DIGEST_MISMATCH", `${what} has digest ${found}, not ${expected}`, {
    hint: "the registry, or something on the way to it, changed the bytes",
  });
}
