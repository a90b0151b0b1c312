import { type ErrorCode, TsimgError } from "../sys/error.ts";
import { newHash } from "../sys/hash.ts";

declare const digestBrand: unique symbol;
declare const diffIdBrand: unique symbol;
declare const chainIdBrand: unique symbol;

/** Names bytes as they are stored or sent: `sha256:<64 hex>` or `sha512:<128 hex>`. */
export type Digest = string & { readonly [digestBrand]: true };
/** Names one layer's uncompressed tar archive. */
export type DiffId = string & { readonly [diffIdBrand]: true };
/** Names the tree that a layer and all layers below it make together. */
export type ChainId = string & { readonly [chainIdBrand]: true };

export type DigestAlgorithm = "sha256" | "sha512";

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };
const DIGEST = /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * @param text whatever stood where a digest was expected
 * @param what names that place in the error, as in `digest of layer 3`
 * @throws TsimgError with `code`, saying which rule the text breaks
 * @see OCI image-spec 1.1, descriptor.md, "Digests"
 */
export function parseDigest(
  text: unknown,
  what: string,
  code: ErrorCode = "ERR_MANIFEST_INVALID",
): Digest {
  checkDigest(text, what, code);
  return text as Digest;
}

/** As `parseDigest`, for an entry of an image configuration's `rootfs.diff_ids`. */
export function parseDiffId(
  text: unknown,
  what: string,
  code: ErrorCode = "ERR_CONFIG_INVALID",
): DiffId {
  checkDigest(text, what, code);
  return text as DiffId;
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

export function sha256Digest(bytes: Uint8Array): Digest {
  return digestOf(bytes, "sha256");
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${newHash(algorithm).update(bytes).digest("hex")}` as Digest;
}

export function digestAlgorithm(digest: Digest | DiffId): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The part behind the colon: what names the blob's file in an OCI layout. */
export function digestHex(digest: Digest | DiffId | ChainId): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/**
 * The chain ID of every layer, base layer first: entry n names layers 0 to n together.
 *
 * @see OCI image-spec 1.1, config.md, "Layer ChainID"
 */
export function chainIds(diffIds: readonly DiffId[]): readonly ChainId[] {
  const chain: ChainId[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    const id = below === undefined ? diffId : sha256Digest(Buffer.from(`${below} ${diffId}`));
    chain.push(id as string as ChainId);
  }
  return chain;
}

function checkDigest(text: unknown, what: string, code: ErrorCode): void {
  if (typeof text === "string" && DIGEST.test(text)) return;
  throw new TsimgError(code, `${what} is not a digest: ${flaw(text)}`, {
    hint: "a digest is sha256: and 64 lower-case hexadecimal digits",
  });
}

function flaw(text: unknown): string {
  if (typeof text !== "string") return text === undefined ? "it is missing" : "it is not a string";
  const shown = JSON.stringify(text.length > 140 ? `${text.slice(0, 140)}…` : text);
  const colon = text.indexOf(":");
  if (colon < 0) return `${shown} names no algorithm`;
  const algorithm = text.slice(0, colon);
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    return `${shown} is of an unknown algorithm`;
  }
  const digits = text.length - colon - 1;
  if (digits !== HEX_LENGTH[algorithm]) {
    return `${shown} has ${digits} digits in place of ${HEX_LENGTH[algorithm]}`;
  }
  return `${shown} has characters other than 0-9 and a-f`;
}
