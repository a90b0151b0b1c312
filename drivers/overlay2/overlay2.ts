import { existsSync, mkdirSync, readdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import type { MountSpec } from "../../src/sys/mount-spec.ts";
import { diskUsage } from "../disk-usage.ts";
import type { SnapshotId, StorageDriver, StorageOptions, Usage } from "../driver.ts";
import { MAX_LOWER, overlayMount } from "../overlay-mount.ts";
import { inheritRoot, isElaborate } from "../root-metadata.ts";
import { refuseOptions } from "../storage-options.ts";
import {
  followShortLink,
  lowerOfChild,
  makeShortLink,
  readLower,
  removeShortLink,
  shortLink,
} from "./lower.ts";

const ELABORATE = "root";

/**
 * docker's layout, so that what knows it can read it:
 *
 *     <home>/l/<26 letters>     → ../<id>/diff
 *     <home>/<id>/diff/         what this layer adds, changes and (as 0:0 devices) removes
 *     <home>/<id>/link          the name of its short link
 *     <home>/<id>/lower         "l/…:l/…", the short links below it, nearest first
 *     <home>/<id>/work/         overlay's scratch space
 *     <home>/<id>/root          there when the root has attributes, or a time with a fraction
 *     <home>/<id>/merged/       where a container's root is mounted, in its own namespace
 *
 * A base layer has only `diff` and `link`. Nothing here is atomic by itself: the store
 * writes a row before `create` and drops it after `destroy`, and a crash in between is
 * undone by `destroy`, which takes whatever part is there.
 */
export class Overlay2Driver implements StorageDriver {
  readonly name: string;
  readonly home: string;
  readonly layers = {
    form: "overlay" as const,
    begin: (id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void =>
      this.begin(id, parents, options),
    dir: (id: SnapshotId): string => join(this.home, id, "diff"),
    cutBelow: (id: SnapshotId): void => {
      tolerating(["ENOENT"], () => unlinkSync(join(this.home, id, "lower")));
      writeFileSync(join(this.home, id, "cut"), "");
    },
  };

  constructor({ name, home }: { readonly name: string; readonly home: string }) {
    this.name = name;
    this.home = home;
  }

  create(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void {
    this.begin(id, parents, options);
    const nearest = parents[0];
    if (nearest === undefined) return;
    const elaborate = existsSync(join(this.home, nearest, ELABORATE));
    inheritRoot(this.layers.dir(nearest), this.layers.dir(id), elaborate);
  }

  private begin(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions): void {
    refuseOptions(this.name, options, []);
    if (parents.length > MAX_LOWER)
      throw new TsimgError("ERR_DRIVER", `overlay2 can't stack ${parents.length} layers`, {
        hint: `the kernel's overlay takes ${MAX_LOWER}: squash the image`,
      });
    const directory = join(this.home, id);
    this.makeDirectory(directory);
    mkdirSync(join(directory, "diff"), { mode: 0o755 });
    makeShortLink(this.home, id);
    const nearest = parents[0];
    if (nearest === undefined) return;
    writeFileSync(join(directory, "lower"), lowerOfChild(this.home, nearest));
    mkdirSync(join(directory, "work"), { mode: 0o700 });
    mkdirSync(join(directory, "merged"), { mode: 0o700 });
  }

  seal(id: SnapshotId, parents: readonly SnapshotId[]): void {
    const nearest = parents[0];
    if (isElaborate(this.layers.dir(id))) writeFileSync(join(this.home, id, ELABORATE), "");
    if (nearest === undefined || existsSync(join(this.home, id, "cut"))) return;
    // Again, since what is below a parent may have been cut off after `create`.
    writeFileSync(join(this.home, id, "lower"), lowerOfChild(this.home, nearest));
  }

  mounts(id: SnapshotId, _parents: readonly SnapshotId[], mode: "rw" | "ro"): readonly MountSpec[] {
    const lower = readLower(this.home, id);
    const diff = join(id, "diff");
    if (mode === "rw" && lower.length > 0)
      return [overlayMount(this.home, { lower, upper: diff, work: join(id, "work") })];
    // One directory needs no overlay: a bind mount shows it.
    if (lower.length === 0)
      return [{ type: "bind", source: join(this.home, diff), options: [mode], api: "mount" }];
    return [overlayMount(this.home, { lower: [diff, ...lower] })];
  }

  destroy(ids: readonly SnapshotId[]): void {
    for (const id of ids) {
      removeShortLink(this.home, id);
      rmSync(join(this.home, id), { recursive: true, force: true, maxRetries: 3 });
    }
  }

  files(id: SnapshotId): readonly string[] {
    const link = shortLink(this.home, id);
    return [...(link === undefined ? [] : [link]), join(this.home, id)];
  }

  list(): readonly SnapshotId[] {
    const names = tolerating(["ENOENT"], () => readdirSync(this.home)) ?? [];
    return names.filter((name) => name !== "l") as SnapshotId[];
  }

  usage(id: SnapshotId): Usage {
    return diskUsage(this.layers.dir(id));
  }

  paths(id: SnapshotId): Readonly<Record<string, string>> {
    const lower = readLower(this.home, id).map((link) => followShortLink(this.home, link));
    const directory = join(this.home, id);
    return {
      ...(lower.length > 0 && { LowerDir: lower.join(":") }),
      MergedDir: join(directory, "merged"),
      UpperDir: join(directory, "diff"),
      WorkDir: join(directory, "work"),
    };
  }

  private makeDirectory(directory: string): void {
    try {
      mkdirSync(directory, { mode: 0o710 });
    } catch {
      mkdirSync(join(this.home, "l"), { recursive: true, mode: 0o700 });
      mkdirSync(directory, { mode: 0o710 });
    }
  }
}
