import type { ChainId, DiffId, Digest } from "../oci/digest.ts";
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
} from "../oci/reference.ts";
import type { Database } from "../store/database.ts";
import { TsimgError } from "../sys/error.ts";

/** One image as the store keeps it. `digest` names its manifest, `configDigest` is its ID. */
export interface Image {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly configDigest: Digest;
  /** The configuration's bytes as text. */
  readonly config: string;
  readonly created: string | null;
  readonly architecture: string;
  readonly os: string;
  readonly variant: string | null;
  /** Sum of its files' sizes over all layers, in bytes. */
  readonly size: number;
  /** What its layers make together. */
  readonly chainId: ChainId;
}

export interface ImageLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  readonly diffId: DiffId;
  readonly chainId: ChainId;
}

/** A name for an image. `target` is what the name meant in the registry: manifest or index. */
export interface ImageName {
  readonly name: string;
  readonly target: Digest;
  readonly manifest: Digest;
}

const COLUMNS = `digest, media_type as mediaType, config_digest as configDigest, config, created,
  architecture, os, variant, size, chain_id as chainId`;

/** The chain of an image without layers: nothing is unpacked for it. */
export const NO_CHAIN = "" as ChainId;

/** Names, manifests and which layers they have. */
export class ImageStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /**
   * Records an image under a name, in place of what had the name before. Everything that it
   * consists of is in the store by then.
   */
  put(name: string, target: Digest, image: Image, layers: readonly ImageLayer[]): void {
    this.database.transaction(() => {
      this.database.run(
        `insert or ignore into manifests (digest, media_type, config_digest, config, created,
           architecture, os, variant, size, chain_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        image.digest,
        image.mediaType,
        image.configDigest,
        image.config,
        image.created,
        image.architecture,
        image.os,
        image.variant,
        image.size,
        image.chainId,
      );
      layers.forEach((layer, position) => {
        this.database.run(
          `insert or ignore into manifest_layers
             (manifest, position, digest, size, media_type, diff_id, chain_id)
           values (?, ?, ?, ?, ?, ?, ?)`,
          image.digest,
          position,
          layer.digest,
          layer.size,
          layer.mediaType,
          layer.diffId,
          layer.chainId,
        );
      });
      this.database.run(
        "insert or replace into images (name, manifest, target, updated) values (?, ?, ?, ?)",
        name,
        image.digest,
        target,
        new Date().toISOString(),
      );
    });
  }

  byName(name: string): ImageName | undefined {
    return this.database.get<ImageName>("select * from images where name = ?", name);
  }

  get(digest: Digest): Image | undefined {
    return this.database.get<Image>(`select ${COLUMNS} from manifests where digest = ?`, digest);
  }

  layers(digest: Digest): readonly ImageLayer[] {
    return this.database.all<ImageLayer>(
      `select digest, size, media_type as mediaType, diff_id as diffId, chain_id as chainId
       from manifest_layers where manifest = ? order by position`,
      digest,
    );
  }

  /**
   * Digests of the manifests of the image and of those whose layers begin with all of its own.
   * Where they come from is written nowhere: one that only its configuration sets apart counts.
   */
  builtUpon({ digest, chainId }: Image): readonly Digest[] {
    if (chainId === NO_CHAIN) return [digest];
    const sql = "select distinct manifest from manifest_layers where chain_id = ?";
    return this.database.all<{ manifest: Digest }>(sql, chainId).map(({ manifest }) => manifest);
  }

  names(digest: Digest): readonly ImageName[] {
    return this.database.all<ImageName>(
      "select * from images where manifest = ? order by name",
      digest,
    );
  }

  /** Every image, newest first. */
  all(): readonly Image[] {
    return this.database.all<Image>(
      `select ${COLUMNS} from manifests order by created desc, digest`,
    );
  }

  /**
   * The image that a user means: by name as docker completes it, by digest, or by ID or the
   * start of one.
   */
  find(text: string): { readonly image: Image; readonly name: string | undefined } | undefined {
    const named = this.byReference(text);
    if (named !== undefined) return named;
    const id = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
    if (id === undefined) return undefined;
    const found = this.database.all<Image>(
      `select ${COLUMNS} from manifests
       where config_digest between ? and ? or digest = ?`,
      `sha256:${id}`,
      `sha256:${id}g`,
      `sha256:${id}`,
    );
    const ids = new Set(found.map((image) => image.configDigest));
    if (ids.size > 1)
      throw new TsimgError(
        "ERR_NO_SUCH_IMAGE",
        `image ID '${text}' is ambiguous: ${ids.size} images begin so`,
        {
          hint: "give more of its digits",
        },
      );
    const [image] = found;
    return image === undefined ? undefined : { image, name: undefined };
  }

  /** As `find`. @throws TsimgError ERR_NO_SUCH_IMAGE */
  existing(text: string): { readonly image: Image; readonly name: string | undefined } {
    const found = this.find(text);
    if (found !== undefined) return found;
    throw new TsimgError("ERR_NO_SUCH_IMAGE", `no such image: '${text}'`, {
      hint: `"tsimg images" lists what is here, "tsimg pull ${text}" fetches it`,
    });
  }

  private byReference(text: string): { image: Image; name: string } | undefined {
    let reference: Reference;
    try {
      reference = parseReference(text);
    } catch {
      return undefined;
    }
    const named = this.byName(imageName(reference));
    const image = named === undefined ? undefined : this.get(named.manifest);
    return named === undefined || image === undefined ? undefined : { image, name: named.name };
  }
}

/** The name that an image gets: with a digest it keeps no tag, as with docker. */
export function imageName(reference: Reference): string {
  const { registry, repository, digest } = reference;
  if (digest !== undefined) return `${registry}/${repository}@${digest}`;
  return formatReference(reference);
}

/**
 * How docker lists an image's names: a line for each, `<none>` for what a name lacks, and
 * one line for an image that has lost its name to another.
 */
export function imageTags(
  names: readonly ImageName[],
): readonly { repository: string; tag: string; digest: string }[] {
  if (names.length === 0) return [{ repository: NONE, tag: NONE, digest: NONE }];
  return names.map(({ name, target }) => {
    const reference = parseReference(name);
    const { tag, digest, ...repository } = reference;
    return {
      repository: familiarReference(repository),
      tag: tag ?? NONE,
      digest: digest ?? target,
    };
  });
}

const NONE = "<none>";
