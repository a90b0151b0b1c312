import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { errorCode, tolerating } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { isMountPoint, isMountPointForAnyone } from "../sys/mount-table.ts";
import { unmount } from "../sys/perform-mounts.ts";
import { type ImageMount, ImageMounts } from "./image-mounts.ts";
import { type MountContext, removeOwnDirectory } from "./mount-image.ts";

/**
 * Takes mounted images off the host again, and with the last mount of an image that was
 * removed its layers.
 *
 * @param text a directory, or an image, all of whose mounts are then meant
 * @returns the directories
 * @throws TsimgError ERR_STATE when nothing is mounted there, ERR_IN_USE while it is used
 */
export function unmountImage(context: MountContext, text: string): readonly string[] {
  const mounts = new ImageMounts(context.database);
  const meant = mountsMeant(context, mounts.list(), text);
  if (meant.length === 0)
    throw new TsimgError(
      "ERR_STATE",
      `no image is mounted on '${text}', nor is '${text}' mounted`,
      {
        hint: '"tsimg mount" lists what is mounted',
      },
    );
  return meant.map((mount) => unmountOne(context, mounts, mount));
}

function mountsMeant(
  context: MountContext,
  all: readonly ImageMount[],
  text: string,
): readonly ImageMount[] {
  const real = tolerating(["ENOENT", "ENOTDIR", "EACCES"], () => realpathSync(resolve(text)));
  const here = all.filter(({ path }) => path === real || path === resolve(text));
  if (here.length > 0 || text.startsWith("/") || text.startsWith(".")) return here;
  const digest = context.images.find(text)?.image.digest;
  return all.filter(({ image }) => image === digest);
}

function unmountOne(context: MountContext, mounts: ImageMounts, mount: ImageMount): string {
  const { path, snapshot } = mount;
  let wasHere = false;
  try {
    // A driver may need several mounts, one on the other.
    for (; isMountPoint(path); wasHere = true) unmount(path);
  } catch (error) {
    if (errorCode(error) !== "EBUSY") throw error;
    throw new TsimgError("ERR_IN_USE", `a process uses what is mounted on '${path}'`, {
      hint: `"fuser -vm '${path}'" shows which`,
    });
  }
  if (!wasHere && isMountPointForAnyone(path))
    throw new TsimgError("ERR_STATE", `'${path}' is mounted in another mount namespace`, {
      hint: "unmount it from where it was mounted",
    });
  mounts.remove(path);
  removeOwnDirectory(context.paths, path);
  context.snapshots.removeUnneeded(snapshot);
  return path;
}
