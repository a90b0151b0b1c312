import type { ContentStore } from "../content/content-store.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { parseManifest } from "../oci/manifest.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { RegistrySource, ServedBlob, ServedManifest } from "../registry/server-source.ts";
import type { Image, ImageName, ImageStore } from "./image-store.ts";

export interface StoreSourceContext {
  readonly content: ContentStore;
  readonly images: ImageStore;
}

/** An image of the store as others ask for it: the registry it came from is left out. */
export interface ServedName {
  readonly reference: Reference;
  readonly name: ImageName;
  readonly image: Image;
}

interface ServedIndex extends ServedManifest {
  readonly digests: readonly Digest[];
}

/**
 * The images of the store as a registry. `docker.io/library/alpine:3` and
 * `host:5000/team/app:1` are served as `library/alpine:3` and `team/app:1`; when names of
 * two registries become one, the first in the order of `names` has it.
 *
 * A repository has the blobs of its own images only.
 */
export class StoreSource implements RegistrySource {
  private readonly content: ContentStore;
  private readonly images: ImageStore;

  constructor({ content, images }: StoreSourceContext) {
    this.content = content;
    this.images = images;
  }

  /** Every name in the store, in alphabetical order with the registry. */
  names(): readonly ServedName[] {
    return this.images
      .all()
      .flatMap((image) =>
        this.images
          .names(image.digest)
          .map((name) => ({ reference: parseReference(name.name), name, image })),
      )
      .sort((a, b) => (a.name.name < b.name.name ? -1 : 1));
  }

  repositories(): readonly string[] {
    return [...new Set(this.names().map((served) => served.reference.repository))];
  }

  tags(repository: string): readonly string[] | undefined {
    const served = this.inRepository(repository);
    if (served.length === 0) return undefined;
    return [...new Set(served.flatMap(({ reference }) => reference.tag ?? []))];
  }

  manifest(repository: string, reference: string): ServedManifest | undefined {
    const served = this.inRepository(repository);
    if (isDigest(reference)) return this.manifestByDigest(served, reference as Digest);
    const tagged = served.find((candidate) => candidate.reference.tag === reference);
    return tagged && (this.completeIndex(tagged) ?? this.imageManifest(tagged.image));
  }

  blob(repository: string, digest: Digest): ServedBlob | undefined {
    const belongs = this.imagesOf(this.inRepository(repository)).some(
      (image) =>
        image.configDigest === digest ||
        this.images.layers(image.digest).some((layer) => layer.digest === digest),
    );
    const size = belongs ? this.content.size(digest) : undefined;
    return size === undefined ? undefined : { path: this.content.path(digest), size };
  }

  private inRepository(repository: string): readonly ServedName[] {
    return this.names().filter((served) => served.reference.repository === repository);
  }

  /** The images that names mean, and those for other platforms that came with the same index. */
  private imagesOf(served: readonly ServedName[]): readonly Image[] {
    return served.flatMap((each) => {
      const others = this.indexOf(each)?.digests ?? [];
      return [each.image, ...others.flatMap((digest) => this.images.get(digest) ?? [])];
    });
  }

  /** An index that was asked for by its digest is served whole: no other has that digest. */
  private manifestByDigest(
    served: readonly ServedName[],
    digest: Digest,
  ): ServedManifest | undefined {
    const image = this.imagesOf(served).find((candidate) => candidate.digest === digest);
    if (image !== undefined) return this.imageManifest(image);
    return served.map((each) => this.indexOf(each)).find((index) => index?.digest === digest);
  }

  /** The index that the name means, when every image in it can be served too. */
  private completeIndex(served: ServedName): ServedManifest | undefined {
    const index = this.indexOf(served);
    return index?.digests.every((digest) => this.images.get(digest)) ? index : undefined;
  }

  /** The index that the name means; undefined when it means an image. */
  private indexOf({ name: { target }, image }: ServedName): ServedIndex | undefined {
    const bytes = target === image.digest ? undefined : this.content.read(target);
    const parsed = bytes === undefined ? undefined : parseManifest(bytes, undefined);
    if (bytes === undefined || parsed?.kind !== "index") return undefined;
    const digests = parsed.manifests.map((descriptor) => descriptor.digest);
    return { bytes, mediaType: parsed.mediaType, digest: target, digests };
  }

  private imageManifest({ digest, mediaType }: Image): ServedManifest | undefined {
    const bytes = this.content.read(digest);
    return bytes === undefined ? undefined : { bytes, mediaType, digest };
  }
}
