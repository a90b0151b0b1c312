import type { ByteString } from "./tar/byte-string.ts";

const PREFIX = ".wh.";
const META_PREFIX = ".wh..wh.";
const OPAQUE = ".wh..wh..opq";

export type NameKind =
  | { readonly kind: "plain" }
  /** Hides what lower layers have under `name`, in the same directory. */
  | { readonly kind: "whiteout"; readonly name: ByteString }
  /** Hides all that lower layers have in the directory. */
  | { readonly kind: "opaque" }
  /** AUFS's own bookkeeping, left over in old images: of no meaning. */
  | { readonly kind: "leftover" }
  | { readonly kind: "refused"; readonly why: string };

const PLAIN: NameKind = { kind: "plain" };

/**
 * What the last component of an entry's path says.
 * @see OCI image-spec 1.1, layer.md, "Whiteouts"
 */
export function classifyName(name: string): NameKind {
  if (!name.startsWith(PREFIX)) return PLAIN;
  if (name === OPAQUE) return { kind: "opaque" };
  if (name.startsWith(META_PREFIX)) return { kind: "leftover" };
  const hidden = name.slice(PREFIX.length);
  if (hidden === "") return { kind: "refused", why: "a whiteout without a name" };
  // Removing "." or ".." would remove the directory itself or its parent.
  if (hidden === "." || hidden === "..")
    return { kind: "refused", why: `a whiteout of "${hidden}"` };
  return { kind: "whiteout", name: hidden as ByteString };
}
