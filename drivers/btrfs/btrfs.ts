import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  createSubvolume,
  dropQuotaGroup,
  enableQuota,
  SUBVOLUME_ROOT,
  setReadOnly,
  snapshotSubvolume,
} from "../../src/sys/btrfs-ioctl.ts";
import { tolerating } from "../../src/sys/errno.ts";
import type { MountSpec } from "../../src/sys/mount-spec.ts";
import { type OpenDirectory, openDirectory } from "../../src/sys/open-directory.ts";
import type { SnapshotId, StorageDriver, StorageOptions, Usage } from "../driver.ts";
import { refuseOptions } from "../storage-options.ts";
import { requireBtrfs } from "./file-system.ts";
import { ownUsage } from "./own-usage.ts";
import { limitSubvolume, parseSize } from "./quota.ts";
import { reclaimWhenScarce } from "./reclaim.ts";
import { destroySubvolumeTree } from "./subvolume-tree.ts";

/** Added to the name of a subvolume that is being made. */
const UNFINISHED = ".new";
const ENTRY = /^([0-9a-f]{64})(?:\.new)?$/;

export interface BtrfsOptions {
  readonly name: string;
  /** A directory on btrfs, made where it is missing. */
  readonly home: string;
  /** Count quotas from the first snapshot on; else only once a `size` is asked for. */
  readonly quota?: boolean;
}

/**
 * A subvolume per snapshot:
 *
 *     <home>/<id>/         the whole tree: writable, or read-only once it is sealed
 *     <home>/<id>.new/     the same before it has its mode and its limit
 *
 * `create` is a snapshot of the parent's subvolume, one ioctl that does all or nothing, and
 * ends with a rename: what has the name `<id>` is complete. `seal` is one flag.
 */
export class BtrfsDriver implements StorageDriver {
  readonly name: string;
  readonly home: string;
  readonly layers = { form: "tree" as const };
  private readonly quota: boolean;

  constructor(options: BtrfsOptions) {
    this.name = options.name;
    this.home = options.home;
    this.quota = options.quota ?? false;
  }

  create(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void {
    refuseOptions(this.name, options, ["size"]);
    const size = options["size"] === undefined ? undefined : parseSize(options["size"]);
    using home = this.openOrMakeHome();
    requireBtrfs(this.home);
    if (this.quota) enableQuota(home);
    const unfinished = `${id}${UNFINISHED}`;
    try {
      this.makeSubvolume(home, unfinished, parents[0]);
      if (size !== undefined) limitSubvolume(home, unfinished, size);
      renameSync(join(this.home, unfinished), join(this.home, id));
    } catch (error) {
      this.remove(home, unfinished);
      throw error;
    }
  }

  seal(id: SnapshotId): void {
    using subvolume = openDirectory(join(this.home, id));
    setReadOnly(subvolume, true);
  }

  mounts(id: SnapshotId, _parents: readonly SnapshotId[], mode: "rw" | "ro"): readonly MountSpec[] {
    return [{ type: "bind", source: join(this.home, id), options: [mode], api: "mount" }];
  }

  destroy(ids: readonly SnapshotId[]): void {
    const home = tolerating(["ENOENT"], () => openDirectory(this.home));
    if (home === undefined) return;
    using _home = home;
    const names = ids.flatMap((id) => [id, `${id}${UNFINISHED}`]);
    const gone = names.flatMap((name) => this.remove(home, name));
    for (const subvolume of gone) dropQuotaGroup(home, subvolume);
    if (gone.length > 0) reclaimWhenScarce(home, gone);
  }

  list(): readonly SnapshotId[] {
    const names = tolerating(["ENOENT"], () => readdirSync(this.home)) ?? [];
    const ids = names.map((name) => ENTRY.exec(name)?.[1]).filter((id) => id !== undefined);
    return [...new Set(ids)] as SnapshotId[];
  }

  usage(id: SnapshotId): Usage {
    using subvolume = openDirectory(join(this.home, id));
    return ownUsage(subvolume);
  }

  paths(id: SnapshotId): Readonly<Record<string, string>> {
    return { Subvolume: join(this.home, id) };
  }

  private makeSubvolume(home: OpenDirectory, name: string, parent: SnapshotId | undefined): void {
    if (parent !== undefined) {
      using source = openDirectory(join(this.home, parent));
      snapshotSubvolume(home, name, source);
      return;
    }
    createSubvolume(home, name);
    // The umask was taken off.
    chmodSync(join(this.home, name), 0o755);
  }

  /** @returns the numbers of the subvolumes that are gone */
  private remove(home: OpenDirectory, name: string): readonly number[] {
    const path = join(this.home, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    if (stat.isDirectory() && stat.ino === SUBVOLUME_ROOT) return destroySubvolumeTree(home, name);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    return [];
  }

  private openOrMakeHome(): OpenDirectory {
    const there = tolerating(["ENOENT"], () => openDirectory(this.home));
    if (there !== undefined) return there;
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    return openDirectory(this.home);
  }
}
