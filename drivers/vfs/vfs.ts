import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errorCode, tolerating } from "../../src/sys/errno.ts";
import type { MountSpec } from "../../src/sys/mount-spec.ts";
import type { SnapshotId, StorageDriver, StorageOptions, Usage } from "../driver.ts";
import { refuseOptions } from "../storage-options.ts";
import { changedUsage } from "./changed-usage.ts";
import { copyTree } from "./copy-tree.ts";
import { reflinks } from "./reflinks.ts";

const ID = /^[0-9a-f]{64}$/;

export interface VfsOptions {
  readonly name: string;
  /** A directory on any file system, made where it is missing. */
  readonly home: string;
}

/**
 * A full copy per snapshot, on any file system:
 *
 *     <home>/<id>/tree/       the whole tree
 *     <home>/<id>/copying/    the same while it is copied, or what a crash left of it
 *     <home>/<id>/parent      the id of the snapshot that it is a copy of, for `usage`
 *
 * `create` copies and then renames: what has the name `tree` is complete. Where the file
 * system can share data between files (`reflinks`), a copy takes space only for what is
 * changed in it. `seal` has nothing to do.
 */
export class VfsDriver implements StorageDriver {
  readonly name: string;
  readonly home: string;
  readonly layers = { form: "tree" as const };
  private clones: boolean | undefined;

  constructor(options: VfsOptions) {
    this.name = options.name;
    this.home = options.home;
  }

  create(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void {
    refuseOptions(this.name, options, []);
    const directory = join(this.home, id);
    this.makeDirectory(directory);
    const copying = join(directory, "copying");
    const parent = parents[0];
    if (parent === undefined) {
      mkdirSync(copying);
      // The umask was taken off.
      chmodSync(copying, 0o755);
    } else {
      this.clones ??= reflinks(this.home);
      writeFileSync(join(directory, "parent"), parent);
      copyTree(this.tree(parent), copying, { clone: this.clones });
    }
    renameSync(copying, this.tree(id));
  }

  seal(): void {}

  mounts(id: SnapshotId, _parents: readonly SnapshotId[], mode: "rw" | "ro"): readonly MountSpec[] {
    return [{ type: "bind", source: this.tree(id), options: [mode], api: "mount" }];
  }

  destroy(ids: readonly SnapshotId[]): void {
    for (const id of ids)
      rmSync(join(this.home, id), { recursive: true, force: true, maxRetries: 3 });
  }

  files(id: SnapshotId): readonly string[] {
    return [join(this.home, id)];
  }

  list(): readonly SnapshotId[] {
    const names = tolerating(["ENOENT"], () => readdirSync(this.home)) ?? [];
    return names.filter((name) => ID.test(name)) as SnapshotId[];
  }

  usage(id: SnapshotId): Usage {
    const text = tolerating(["ENOENT"], () =>
      readFileSync(join(this.home, id, "parent"), "latin1"),
    );
    return changedUsage(
      this.tree(id),
      text === undefined ? undefined : join(this.home, text, "tree"),
    );
  }

  paths(id: SnapshotId): Readonly<Record<string, string>> {
    return { Directory: this.tree(id) };
  }

  private tree(id: SnapshotId): string {
    return join(this.home, id, "tree");
  }

  private makeDirectory(directory: string): void {
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
  }
}
