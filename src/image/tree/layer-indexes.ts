import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { ContentStore } from "../../content/content-store.ts";
import type { Digest } from "../../oci/digest.ts";
import { layerCompression } from "../../oci/manifest.ts";
import type { StorePaths } from "../../store/paths.ts";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { randomHex } from "../../sys/random.ts";
import type { ImageLayer } from "../image-store.ts";
import { Slots } from "../slots.ts";
import { indexText, parseIndexText } from "./index-file.ts";
import { indexLayer, type LayerIndex } from "./layer-index.ts";

/** More files than this, and the older half goes. */
const MAX_FILES = 256;
/** The index of a layer with more entries is made anew each time. */
const MAX_ENTRIES = 500_000;

/**
 * What is in the layers of the content store, whether unpacked or not. An index that was
 * made is kept in `cache/layer-index`, a file a layer, as long as the layer is here; where
 * nothing can be written nothing is kept.
 */
export class LayerIndexes {
  private readonly content: ContentStore;
  private readonly directory: string;

  constructor(content: ContentStore, paths: StorePaths) {
    this.content = content;
    this.directory = join(paths.root, "cache", "layer-index");
  }

  /**
   * The indexes of an image's layers, in their order.
   * @throws TsimgError ERR_STORE when a blob is gone; those of reading a layer, naming it
   */
  all(layers: readonly ImageLayer[], signal: AbortSignal): Promise<readonly LayerIndex[]> {
    const slots = new Slots(availableParallelism());
    return Promise.all(layers.map((layer) => slots.run(signal, () => this.one(layer))));
  }

  async one({ digest, mediaType }: ImageLayer): Promise<LayerIndex> {
    const known = this.find(digest);
    if (known !== undefined) return known;
    this.content.dropDamaged(digest);
    if (this.content.size(digest) === undefined) throw missing(digest);
    try {
      const index = await indexLayer(this.content.path(digest), layerCompression(mediaType));
      if (index.length <= MAX_ENTRIES) this.keep(digest, index);
      return index;
    } catch (error) {
      // Another command has just removed the image.
      if (errorCode(error) === "ENOENT") throw missing(digest);
      if (!(error instanceof TsimgError)) throw error;
      throw new TsimgError(error.code, `layer '${digest}': ${error.message}`, {
        cause: error,
        ...(error.hint !== undefined && { hint: error.hint }),
      });
    }
  }

  /** Forgets the layers that are no longer in the content store. */
  dropUnknown(): void {
    const names = tolerating(["ENOENT"], () => readdirSync(this.directory)) ?? [];
    for (const name of names)
      if (this.content.size(name.replace("-", ":") as Digest) === undefined)
        rmSync(join(this.directory, name), { force: true });
  }

  private find(digest: Digest): LayerIndex | undefined {
    if (this.content.size(digest) === undefined) return undefined;
    try {
      return parseIndexText(digest, readFileSync(this.path(digest), "utf8"));
    } catch {
      return undefined;
    }
  }

  private keep(digest: Digest, index: LayerIndex): void {
    const unfinished = join(this.directory, `unfinished-${randomHex(16)}`);
    try {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      this.makeRoom();
      writeFileSync(unfinished, indexText(digest, index), { mode: 0o600 });
      renameSync(unfinished, this.path(digest));
    } catch (error) {
      // A full or read-only disk: the next time it takes long again.
      if (errorCode(error) === undefined) throw error;
      tolerating(["ENOTDIR", "EROFS", "EACCES"], () => rmSync(unfinished, { force: true }));
    }
  }

  private makeRoom(): void {
    this.dropUnknown();
    const names = readdirSync(this.directory);
    if (names.length < MAX_FILES) return;
    const age = (name: string) =>
      statSync(join(this.directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const oldest = names.map((name) => ({ name, at: age(name) })).sort((a, b) => a.at - b.at);
    for (const { name } of oldest.slice(0, MAX_FILES / 2))
      rmSync(join(this.directory, name), { force: true });
  }

  private path(digest: Digest): string {
    return join(this.directory, digest.replace(":", "-"));
  }
}

function missing(digest: Digest): TsimgError {
  return new TsimgError("ERR_STORE", `the blob of layer '${digest}' is not in the store`, {
    hint: "pull the image again: only what is missing is fetched",
  });
}
