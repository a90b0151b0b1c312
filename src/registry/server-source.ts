import type { Digest } from "../oci/digest.ts";

export type Awaitable<T> = T | Promise<T>;

/** What the endpoint serves. Asked for every request: what changes shows at once. */
export interface RegistrySource {
  /** Names of all repositories, in any order. */
  repositories(): Awaitable<readonly string[]>;
  /** Tags in any order; undefined when there is no such repository. */
  tags(repository: string): Awaitable<readonly string[] | undefined>;
  /** @param reference a tag or a digest */
  manifest(repository: string, reference: string): Awaitable<ServedManifest | undefined>;
  blob(repository: string, digest: Digest): Awaitable<ServedBlob | undefined>;
}

export interface ServedManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

export interface ServedBlob {
  /** A regular file that holds the blob and nothing else. */
  readonly path: string;
  readonly size: number;
}
