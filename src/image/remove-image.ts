import type { Digest } from "../oci/digest.ts";
import { TsimgError } from "../sys/error.ts";
import { type CollectContext, collect, sweep } from "./collect.ts";
import { tellImage } from "./image-events.ts";
import { ImageMounts } from "./image-mounts.ts";
import { type ImageStore, imageTags } from "./image-store.ts";
import { LayerIndexes } from "./tree/layer-indexes.ts";

export interface RemoveContext extends CollectContext {
  readonly images: ImageStore;
}

/** What a removal did, as docker words it. */
export type RemovedLine = `Untagged: ${string}` | `Deleted: ${string}`;

/**
 * Takes a name away, and with the last one the image. An image that a container is of, or
 * that is mounted, stays unless forced; then only its names go: its layers stay as long as
 * the container and the mount.
 *
 * @throws TsimgError ERR_NO_SUCH_IMAGE, ERR_IN_USE
 */
export function removeImage(context: RemoveContext, text: string, force: boolean): RemovedLine[] {
  const { database, images } = context;
  const mounts = new ImageMounts(database);
  mounts.list();
  const lines = database.transaction(() => {
    const { image, name } = images.existing(text);
    const names = images.names(image.digest);
    if (name !== undefined && names.length > 1) return untag(context, [name]);
    if (name === undefined && names.length > 1 && !force)
      throw new TsimgError("ERR_IN_USE", `image '${text}' has ${names.length} names`, {
        hint: "remove it by name, or all its names with --force",
      });
    const user = containerOf(context, image.digest);
    if (user !== undefined && !force)
      throw new TsimgError("ERR_IN_USE", `image '${text}' is used by container '${user}'`, {
        hint: `remove that first with "tsimg rm ${user}", or use --force`,
      });
    const mounted = mounts.ofImage(image.digest)[0]?.path;
    if (mounted !== undefined && !force)
      throw new TsimgError("ERR_IN_USE", `image '${text}' is mounted on '${mounted}'`, {
        hint: `unmount it first with "tsimg umount ${mounted}", or use --force`,
      });
    const untagged = untag(
      context,
      names.map((each) => each.name),
    );
    database.run("delete from manifests where digest = ?", image.digest);
    tellImage(database, image.configDigest, "delete");
    return [...untagged, `Deleted: ${image.configDigest}` as const];
  });
  const collected = collect(context);
  sweep(context);
  new LayerIndexes(context.content, context.paths).dropUnknown();
  return [...lines, ...collected.layers.map((chain) => `Deleted: ${chain}` as const)];
}

function untag(context: RemoveContext, names: readonly string[]): RemovedLine[] {
  const lines = names.flatMap((name) => {
    const known = context.images.byName(name);
    return known === undefined ? [] : imageTags([known]);
  });
  const { database, images } = context;
  for (const name of names) {
    const manifest = images.byName(name)?.manifest;
    const id = manifest === undefined ? undefined : images.get(manifest)?.configDigest;
    database.run("delete from images where name = ?", name);
    if (id !== undefined) tellImage(database, id, "untag");
  }
  return lines.map(
    ({ repository, tag, digest }): RemovedLine =>
      tag === "<none>" ? `Untagged: ${repository}@${digest}` : `Untagged: ${repository}:${tag}`,
  );
}

function containerOf({ database }: RemoveContext, manifest: Digest): string | undefined {
  const sql = "select name from containers where manifest = ? limit 1";
  return database.get<{ name: string }>(sql, manifest)?.name;
}
