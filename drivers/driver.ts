import type { MountSpec } from "../src/sys/mount-spec.ts";

declare const snapshotIdBrand: unique symbol;

/** Name of a snapshot on disk: 64 lower-case hexadecimal digits, chosen by the store. */
export type SnapshotId = string & { readonly [snapshotIdBrand]: true };

export interface Usage {
  /** Allocated bytes, as `du` counts them: holes left out, hard links once. */
  readonly bytes: number;
  readonly inodes: number;
}

/** What a user asks of one snapshot with `--storage-opt KEY=VALUE`. */
export type StorageOptions = Readonly<Record<string, string>>;

/**
 * A driver keeps file trees on one file system and shares what they have in common. It
 * knows nothing of images, digests, tar or names: the snapshot store above it decides
 * which snapshots exist, whose parent is whose and what may go.
 *
 *     create ──▶ writable ──seal──▶ sealed ──destroy──▶ gone
 *                    └──────────destroy────────────────────▶
 *
 * Words. A snapshot is *writable* until it is sealed; only a sealed one may be a parent.
 * `parents` is the chain below a snapshot, nearest first.
 *
 * A driver may rely on three things: `parents` is complete and all of it sealed; one id is
 * never in two calls at once; nothing is mounted from a snapshot that is being sealed or
 * destroyed. Any call can be cut short by a crash: `destroy` must accept what is left then.
 *
 * An ability that a driver lacks is an absent property, never a method that throws.
 */
export interface StorageDriver {
  /** As in the database: `zfs`, or with the pool that it lies on, `zfs:fast`. */
  readonly name: string;

  /** How a layer gets in. */
  readonly layers: LayerForm;

  /** A directory of the file system that holds the trees: what to flush before a commit. */
  readonly home: string;

  /**
   * Makes `id`: writable, equal to `parents[0]`, or empty when there is none.
   * @throws TsimgError ERR_DRIVER when the chain is longer than the driver can stack;
   *         ERR_USAGE for an option that it doesn't have, with those it has
   */
  create(id: SnapshotId, parents: readonly SnapshotId[], options?: StorageOptions): void;

  /** Makes `id` fit to be a parent. Sealing twice changes nothing. */
  seal(id: SnapshotId, parents: readonly SnapshotId[]): void;

  /**
   * Present where something on the host must be there before `mounts` works: a device, a
   * shared mount. Doing it twice changes nothing; after a reboot it is done anew.
   */
  attach?(id: SnapshotId, parents: readonly SnapshotId[]): void;

  /** The mounts that show `id`'s whole tree, in the order to perform them on one target. */
  mounts(id: SnapshotId, parents: readonly SnapshotId[], mode: "rw" | "ro"): readonly MountSpec[];

  /**
   * Frees snapshots, children before their parents; what else builds on one is gone by then.
   * An id that does not exist is no error.
   */
  destroy(ids: readonly SnapshotId[]): void;

  /** Every id on disk, half-made ones too: what a sweep compares with the database. */
  list(): readonly SnapshotId[];

  /** Bytes and inodes of this snapshot alone, parents left out. */
  usage(id: SnapshotId): Usage;

  /** Where a snapshot is, by docker's GraphDriver names, for `inspect`. */
  paths(id: SnapshotId, parents: readonly SnapshotId[]): Readonly<Record<string, string>>;

  /** Present where deleting these files and directories is all that `destroy` does. */
  files?(id: SnapshotId): readonly string[];
}

/**
 * `overlay`, `image`: a layer is written apart, before its parents are there.
 * `tree`: it is written onto a writable copy of its parent.
 */
export type LayerForm = OverlayForm | ImageForm | TreeForm;

interface Apart {
  /** Makes `id` to write a layer into. The parents need only have begun. */
  begin(id: SnapshotId, parents: readonly SnapshotId[], options?: StorageOptions): void;
  /** The directory to write into. */
  dir(id: SnapshotId): string;
  /** The layer's root was opaque: its parents are left out of every mount from now on. */
  cutBelow(id: SnapshotId): void;
}

/** Files in overlay form: a whiteout is a 0:0 device, `trusted.overlay.opaque=y` hides. */
export interface OverlayForm extends Apart {
  readonly form: "overlay";
}

/** One EROFS image called `layer.erofs`, in the same form inside. */
export interface ImageForm extends Apart {
  readonly form: "image";
}

export interface TreeForm {
  readonly form: "tree";
}
