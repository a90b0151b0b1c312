import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import type { MountSpec } from "../../src/sys/mount-spec.ts";
import { diskUsage } from "../disk-usage.ts";
import type { SnapshotId, StorageDriver, StorageOptions, Usage } from "../driver.ts";
import { MAX_LOWER, overlayMount } from "../overlay-mount.ts";
import { inheritRoot, isElaborate } from "../root-metadata.ts";
import { refuseOptions } from "../storage-options.ts";
import { isMounted, mountImage, unmountImage } from "./image-mount.ts";
import { rootHasXattrs } from "./image-root.ts";

const IMAGE = "layer.erofs";
const MOUNT_POINT = "mnt";
/** Left where nothing below a layer shows. */
const CUT = "cut";
/** Left where the root of a sealed directory has attributes, or a time with a fraction. */
const ELABORATE = "root";

/**
 * A layer is one file, a container an overlay of mounted layers:
 *
 *     <home>/<id>/layer.erofs    a layer; deleted files are 0:0 devices inside
 *     <home>/<id>/mnt/           where it is mounted, on the host, for all containers
 *     <home>/<id>/cut            nothing below it shows
 *     <home>/<id>/diff/, work/   a container's own files, and overlay's scratch space
 *     <home>/<id>/root           what of a sealed container's root isn't copied quickly
 *
 * An image gets its superblock last, so that a half-written one is never mounted; `seal`
 * only takes away what else was left beside it. A container that is sealed stays a directory
 * of files, and may be a parent among images.
 */
export class ErofsDriver implements StorageDriver {
  readonly name: string;
  readonly home: string;
  readonly layers = {
    form: "image" as const,
    begin: (id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void =>
      this.begin(id, parents, options),
    dir: (id: SnapshotId): string => join(this.home, id),
    cutBelow: (id: SnapshotId): void => {
      // Whatever an unpack process may have put there is not followed.
      rmSync(this.path(id, CUT), { recursive: true, force: true });
      writeFileSync(this.path(id, CUT), "", { flag: "wx" });
    },
  };

  /** @param options.home an absolute path; made when it is needed */
  constructor({ name, home }: { readonly name: string; readonly home: string }) {
    this.name = name;
    this.home = home;
  }

  create(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void {
    this.begin(id, parents, options);
    mkdirSync(this.path(id, "work"), { mode: 0o700 });
    mkdirSync(this.path(id, "diff"), { mode: 0o755 });
    const [nearest] = parents;
    if (nearest === undefined) return;
    this.attachAll(this.chain(nearest, parents.slice(1)));
    const root = join(this.home, this.shown(nearest));
    inheritRoot(root, this.path(id, "diff"), this.hasElaborateRoot(nearest));
  }

  seal(id: SnapshotId): void {
    const image = lstatSync(this.path(id, IMAGE), { throwIfNoEntry: false });
    if (image === undefined) return this.sealDirectory(id);
    if (!image.isFile())
      throw new TsimgError("ERR_LAYER_CORRUPT", `the image of snapshot '${id}' is no file`);
    for (const name of readdirSync(this.path(id)))
      if (!this.belongs(id, name)) rmSync(this.path(id, name), { recursive: true });
    tolerating(["EEXIST"], () => mkdirSync(this.path(id, MOUNT_POINT), { mode: 0o700 }));
  }

  attach(id: SnapshotId, parents: readonly SnapshotId[]): void {
    this.attachAll(this.chain(id, parents));
  }

  mounts(id: SnapshotId, parents: readonly SnapshotId[], mode: "rw" | "ro"): readonly MountSpec[] {
    const [own, ...lower] = this.chain(id, parents).map((layer) => this.shown(layer));
    if (own === undefined) return [];
    if (lower.length === 0)
      return [{ type: "bind", source: join(this.home, own), options: [mode], api: "mount" }];
    // Files of different images have the same numbers; overlay tells them apart on request.
    const numbers = { xino: true };
    if (mode === "ro") return [overlayMount(this.home, { lower: [own, ...lower], ...numbers })];
    return [overlayMount(this.home, { lower, upper: own, work: join(id, "work"), ...numbers })];
  }

  destroy(ids: readonly SnapshotId[]): void {
    for (const id of ids) {
      unmountImage(this.path(id, MOUNT_POINT));
      rmSync(this.path(id), { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Only of snapshots that are written to: a layer's image may be mounted. */
  files(id: SnapshotId): readonly string[] {
    return [this.path(id)];
  }

  list(): readonly SnapshotId[] {
    return (tolerating(["ENOENT"], () => readdirSync(this.home)) ?? []) as SnapshotId[];
  }

  /** A layer takes one inode of the file system, however many its image has. */
  usage(id: SnapshotId): Usage {
    if (this.isImage(id)) return { bytes: statSync(this.path(id, IMAGE)).blocks * 512, inodes: 1 };
    const usage = tolerating(["ENOENT"], () => diskUsage(this.path(id, "diff")));
    return usage ?? { bytes: 0, inodes: 0 };
  }

  paths(id: SnapshotId, parents: readonly SnapshotId[]): Readonly<Record<string, string>> {
    const lower = this.chain(id, parents).slice(1);
    const shown = lower.map((layer) => join(this.home, this.shown(layer)));
    return {
      ...(lower.length > 0 && { LowerDir: shown.join(":") }),
      ...(this.isImage(id)
        ? { ImageFile: this.path(id, IMAGE), MountPoint: this.path(id, MOUNT_POINT) }
        : { UpperDir: this.path(id, "diff"), WorkDir: this.path(id, "work") }),
    };
  }

  private path(id: SnapshotId, ...names: readonly string[]): string {
    return join(this.home, id, ...names);
  }

  private isImage(id: SnapshotId): boolean {
    return existsSync(this.path(id, IMAGE));
  }

  /** What of a snapshot's directory is its layer's, whoever made it. */
  private belongs(id: SnapshotId, name: string): boolean {
    if (name === MOUNT_POINT) return lstatSync(this.path(id, name)).isDirectory();
    return name === IMAGE || name === CUT;
  }

  private begin(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions): void {
    refuseOptions(this.name, options, []);
    if (parents.length > MAX_LOWER)
      throw new TsimgError("ERR_DRIVER", `erofs can't stack ${parents.length} layers`, {
        hint: `the kernel's overlay takes ${MAX_LOWER}: squash the image`,
      });
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    mkdirSync(this.path(id), { mode: 0o700 });
  }

  private sealDirectory(id: SnapshotId): void {
    if (isElaborate(this.path(id, "diff"))) writeFileSync(this.path(id, ELABORATE), "");
  }

  private attachAll(chain: readonly SnapshotId[]): void {
    for (const layer of chain) {
      const target = this.path(layer, MOUNT_POINT);
      if (this.isImage(layer) && !isMounted(target)) mountImage(this.path(layer, IMAGE), target);
    }
  }

  /** Whether the root of a layer, which is mounted, takes FFI to be copied. */
  private hasElaborateRoot(id: SnapshotId): boolean {
    if (!this.isImage(id)) return existsSync(this.path(id, ELABORATE));
    const { mtimeNs } = statSync(this.path(id, MOUNT_POINT), { bigint: true });
    const plainTime = mtimeNs >= 0n && mtimeNs % 1_000_000_000n === 0n;
    return !plainTime || rootHasXattrs(this.path(id, IMAGE));
  }

  /** The snapshots of which anything shows, nearest first. */
  private chain(id: SnapshotId, parents: readonly SnapshotId[]): readonly SnapshotId[] {
    const all = [id, ...parents];
    const cut = all.findIndex((layer) => existsSync(this.path(layer, CUT)));
    return cut < 0 ? all : all.slice(0, cut + 1);
  }

  /** Where a snapshot's own files are, relative to `home`. */
  private shown(id: SnapshotId): string {
    return join(id, this.isImage(id) ? MOUNT_POINT : "diff");
  }
}
