import type { ChainId } from "../oci/digest.ts";
import { TsimgError } from "../sys/error.ts";
import type { Image } from "./image-store.ts";
import { type RemoveContext, type RemovedLine, removeImage } from "./remove-image.ts";

/**
 * Removes images that no container is of and nobody has mounted.
 *
 * @param all also those that have a name
 * @returns what was done, with docker's words for it, and the bytes of the layers that went
 */
export function pruneImages(
  context: RemoveContext,
  all: boolean,
  isWanted: (image: Image) => boolean,
): { readonly lines: readonly string[]; readonly bytes: number } {
  const { images } = context;
  const unused = images.all().filter((image) => {
    const names = images.names(image.digest);
    return (all || names.length === 0) && !isUsed(context, image) && isWanted(image);
  });
  const sizes = new Map(unused.flatMap((image) => [...layerSizes(context, image)]));
  const lines = unused.flatMap((image) => remove(context, image));
  const gone = new Set(lines.map((line) => line.replace(/^Deleted: /, "")));
  const bytes = [...sizes].reduce((sum, [chain, size]) => sum + (gone.has(chain) ? size : 0), 0);
  return { lines: lines.map((line) => line.replace(/^\w/, (it) => it.toLowerCase())), bytes };
}

function isUsed({ database }: RemoveContext, { digest }: Image): boolean {
  const sql = `select 1 from containers where manifest = ?1
    union all select 1 from image_mounts where image = ?1`;
  return database.get(sql, digest) !== undefined;
}

/** Name by name, since an image with several is not removed otherwise. */
function remove(context: RemoveContext, { digest }: Image): readonly RemovedLine[] {
  const names = context.images.names(digest).map(({ name }) => name);
  try {
    return (names.length === 0 ? [digest] : names).flatMap((name) =>
      removeImage(context, name, false),
    );
  } catch (error) {
    // A container has come to use it, or another command removed it meanwhile.
    const codes = ["ERR_IN_USE", "ERR_NO_SUCH_IMAGE"];
    if (error instanceof TsimgError && codes.includes(error.code)) return [];
    throw error;
  }
}

function layerSizes({ images, snapshots }: RemoveContext, image: Image): Map<ChainId, number> {
  const sizes = new Map<ChainId, number>();
  for (const { chainId } of images.layers(image.digest)) {
    const bytes = snapshots
      .driversOf(chainId)
      .map((driver) => snapshots.byChain(driver, chainId)?.bytes ?? 0);
    sizes.set(
      chainId,
      bytes.reduce((sum, each) => sum + each, 0),
    );
  }
  return sizes;
}
