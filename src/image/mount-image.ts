import { mkdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { Database } from "../store/database.ts";
import { Lease } from "../store/leases.ts";
import type { StorePaths } from "../store/paths.ts";
import { tolerating } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { isMountPoint } from "../sys/mount-table.ts";
import { performMounts } from "../sys/perform-mounts.ts";
import { ImageMounts } from "./image-mounts.ts";
import type { Image, ImageLayer, ImageStore } from "./image-store.ts";
import { unpackedCopy } from "./unpacked-copy.ts";

export interface MountContext {
  readonly database: Database;
  readonly images: ImageStore;
  readonly snapshots: SnapshotStore;
  readonly paths: StorePaths;
}

export interface MountOptions {
  /** The directory to mount on; default one of the store's own. */
  readonly directory?: string | undefined;
  /** The image as of this layer, 1 being the base; default all of it. */
  readonly layer?: number | undefined;
  /** Which unpacked copy; default any. */
  readonly driver?: string | undefined;
}

/** Where images are mounted unless a directory is named: only root comes in. */
export function mountsDirectory(paths: StorePaths): string {
  return join(paths.root, "mounts");
}

/**
 * Shows an image read-only in the host's file system, without set-user-ID programs and
 * devices, until it is unmounted or the machine goes down. Asking again changes nothing.
 *
 * @returns the directory
 * @throws TsimgError ERR_NO_SUCH_IMAGE, ERR_NO_SUCH_SNAPSHOT, ERR_USAGE, ERR_IN_USE when
 *         something else is mounted there, ERR_DRIVER when the mount fails
 */
export function mountImage(context: MountContext, text: string, options: MountOptions): string {
  const { database, images, snapshots } = context;
  const { image } = images.existing(text);
  const layer = layerOf(images.layers(image.digest), text, options.layer);
  using lease = new Lease(database);
  lease.hold("chain", [layer.chainId]);
  const snapshot = unpackedCopy(snapshots, layer.chainId, options.driver, `image '${text}'`);
  const directory =
    options.directory === undefined
      ? ownDirectory(context, image, options)
      : realDirectory(options.directory);
  const mounts = new ImageMounts(database);
  mounts.list();
  const isNew = database.transaction(() => {
    const there = mounts.at(directory);
    if (there?.snapshot === snapshot.id && isMountPoint(directory)) return false;
    if (there !== undefined || isMountPoint(directory)) throw occupied(directory);
    mounts.add(directory, snapshot.id, image.digest);
    return true;
  });
  if (!isNew) return directory;
  try {
    performMounts(snapshots.mounts(snapshot.id, "ro"), directory, "guarded");
  } catch (cause) {
    mounts.remove(directory);
    removeOwnDirectory(context.paths, directory);
    if (cause instanceof TsimgError) throw cause;
    throw new TsimgError("ERR_DRIVER", `image '${text}' can't be mounted on '${directory}'`, {
      cause,
      hint: `is the driver '${snapshot.driver}' in order? "tsimg inspect ${text}" shows its paths`,
    });
  }
  return directory;
}

function layerOf(layers: readonly ImageLayer[], image: string, number?: number): ImageLayer {
  const layer = layers[(number ?? layers.length) - 1];
  if (layer !== undefined) return layer;
  if (layers.length === 0)
    throw new TsimgError("ERR_USAGE", `image '${image}' has no layers, so nothing to be mounted`);
  throw new TsimgError("ERR_USAGE", `image '${image}' has no layer ${number}`, {
    hint: `its layers are 1, the base, to ${layers.length}`,
  });
}

/** `<id>`, `<id>-2` for the second layer, `<id>-2-zfs` for that of the driver asked for. */
function ownDirectory(context: MountContext, image: Image, options: MountOptions): string {
  const id = image.configDigest.slice(image.configDigest.indexOf(":") + 1).slice(0, 12);
  const driver = options.driver?.replaceAll(/[^a-z0-9]+/gi, "-");
  const name = [id, options.layer, driver].filter((part) => part !== undefined).join("-");
  const parent = mountsDirectory(context.paths);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const directory = join(parent, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return realpathSync(directory);
}

function realDirectory(path: string): string {
  const real = tolerating(["ENOENT"], () => realpathSync(resolve(path)));
  if (real !== undefined && statSync(real).isDirectory()) return real;
  throw new TsimgError("ERR_USAGE", `'${path}' is not a directory`, {
    hint: "make it first, or leave it out: the image is then mounted in the store",
  });
}

/** Removes the directory of a mount that is gone, when it is one of the store's own. */
export function removeOwnDirectory(paths: StorePaths, directory: string): void {
  const parent = tolerating(["ENOENT"], () => realpathSync(mountsDirectory(paths)));
  if (parent === undefined || !directory.startsWith(`${parent}/`)) return;
  tolerating(["ENOENT", "ENOTEMPTY", "EBUSY"], () => rmdirSync(directory));
}

function occupied(directory: string): TsimgError {
  return new TsimgError("ERR_IN_USE", `something is mounted on '${directory}' already`, {
    hint: '"tsimg mount" and findmnt show what; name another directory, or unmount it first',
  });
}
