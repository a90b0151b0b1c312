import { type Digest, isDigest } from "../oci/digest.ts";
import { isRepository, isTag } from "../oci/reference.ts";

/** What a request asks for, once its path has been understood. */
export type RegistryRequest =
  | { readonly kind: "version" }
  | { readonly kind: "catalog" }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "manifest"; readonly repository: string; readonly reference: string }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: Digest }
  | { readonly kind: "invalid"; readonly error: RegistryError };

/** An answer that is an error, in the words of the specification. */
export interface RegistryError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/**
 * @param path the URL's path, still percent-encoded
 * @see OCI distribution-spec 1.1, "Endpoints"
 */
export function parseRegistryPath(path: string): RegistryRequest {
  if (path === "/v2" || path === "/v2/") return { kind: "version" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const match = /^\/v2\/(.+)\/(?:(manifests|blobs)\/([^/]+)|(tags)\/list)$/.exec(decoded(path));
  if (match === null) return invalid(404, "UNSUPPORTED", "there is no such endpoint");
  const [, repository = "", kind, reference = ""] = match;
  if (!isRepository(repository)) return invalid(400, "NAME_INVALID", "invalid repository name");
  if (kind === undefined) return { kind: "tags", repository };
  if (kind === "blobs") {
    return isDigest(reference)
      ? { kind: "blob", repository, digest: reference as Digest }
      : invalid(400, "DIGEST_INVALID", "invalid digest");
  }
  if (isDigest(reference) || isTag(reference)) return { kind: "manifest", repository, reference };
  return reference.includes(":")
    ? invalid(400, "DIGEST_INVALID", "invalid digest")
    : invalid(404, "MANIFEST_UNKNOWN", "invalid tag");
}

function invalid(status: number, code: string, message: string): RegistryRequest {
  return { kind: "invalid", error: { status, code, message } };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}

/**
 * One page of a list: what comes behind `last`, at most `n` entries.
 *
 * @returns in `next` the query of the page that follows, for the `Link` header
 */
export function pageOf(
  entries: readonly string[],
  query: URLSearchParams,
): { readonly page: readonly string[]; readonly next: string | undefined } {
  const sorted = [...entries].sort();
  const last = query.get("last");
  const rest = last === null ? sorted : sorted.filter((entry) => entry > last);
  const n = /^[0-9]{1,9}$/.test(query.get("n") ?? "") ? Number(query.get("n")) : rest.length;
  const page = rest.slice(0, n);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { page, next: undefined };
  return { page, next: new URLSearchParams({ last: end, n: String(n) }).toString() };
}
