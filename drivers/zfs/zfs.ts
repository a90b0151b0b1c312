import { mkdirSync, realpathSync, statfsSync } from "node:fs";
import { openMount } from "../../src/sys/detached-mount.ts";
import { TsimgError } from "../../src/sys/error.ts";
import type { MountSpec } from "../../src/sys/mount-spec.ts";
import type { SnapshotId, StorageDriver, StorageOptions, Usage } from "../driver.ts";
import { datasetOf, idOf, requireDatasetName, SEAL } from "./dataset-name.ts";
import { destroyDatasets } from "./destroy.ts";
import { FuseHome } from "./fuse-home.ts";
import { type Implementation, zfsImplementation } from "./implementation.ts";
import { Listing } from "./listing.ts";
import { patiently } from "./patience.ts";
import { datasetProperties, propertyArguments } from "./properties.ts";
import { hasDataset, tryZfs, zfs, zfsFailure } from "./zfs-command.ts";

export interface ZfsPlace {
  /** As in the database: `zfs`, `zfs:POOL`. */
  readonly name: string;
  /** The dataset below which ours are made, such as `tank/tsimg`. */
  readonly dataset: string;
  /** Absolute; the directory for mount points, where the implementation needs some. */
  readonly home: string;
  /** Properties that every new dataset gets. */
  readonly properties?: StorageOptions;
}

/**
 * A dataset per snapshot:
 *
 *     <dataset>/<id>               its tree
 *     <dataset>/<id>@tsimg-seal    once it is sealed: what children are cloned from
 *     <home>/<id>/                 zfs-fuse only: where its daemon mounts the dataset
 *
 * `zfs create`, `zfs clone` and `zfs snapshot` are each one transaction: after a crash the
 * dataset or snapshot is there with all its properties, or it isn't. A dataset without its seal
 * is an unfinished layer or a container; `destroy` takes either.
 */
export class ZfsDriver implements StorageDriver {
  readonly name: string;
  readonly home: string;
  readonly layers = { form: "tree" as const };
  private readonly dataset: string;
  private readonly properties: StorageOptions;
  private readonly listing: Listing;
  /** How many objects there are in what is sealed, and so won't change. */
  private readonly counted = new Map<SnapshotId, number>();
  private speaksTo: Implementation | undefined;
  private mountPoints: FuseHome | undefined;

  /** @throws TsimgError ERR_USAGE when `dataset` is no name of a dataset */
  constructor({ name, dataset, home, properties = {} }: ZfsPlace) {
    requireDatasetName(dataset);
    this.name = name;
    this.dataset = dataset;
    this.home = home;
    this.properties = properties;
    this.listing = new Listing(dataset);
  }

  create(id: SnapshotId, parents: readonly SnapshotId[], options: StorageOptions = {}): void {
    const properties = datasetProperties(this.name, this.implementation, [
      this.properties,
      options,
    ]);
    const place = { mountpoint: "legacy" };
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    if (this.implementation === "fuse") {
      this.fuse.prepare(id);
      place.mountpoint = this.fuse.mountPoint(id);
    }
    const [nearest] = parents;
    const set = propertyArguments({ ...place, ...properties });
    const dataset = datasetOf(this.dataset, id);
    const args =
      nearest === undefined
        ? ["create", ...set, dataset]
        : ["clone", ...set, `${datasetOf(this.dataset, nearest)}@${SEAL}`, dataset];
    this.listing.forget();
    let outcome = tryZfs(args);
    if (outcome.status !== 0 && nearest === undefined && !hasDataset(this.dataset)) {
      this.makeDataset();
      outcome = tryZfs(args);
    }
    if (outcome.status !== 0) throw zfsFailure(args, outcome);
  }

  seal(id: SnapshotId): void {
    const snapshot = `${datasetOf(this.dataset, id)}@${SEAL}`;
    const args = ["snapshot", snapshot];
    this.listing.forget();
    const outcome = tryZfs(args);
    if (outcome.status !== 0 && !hasDataset(snapshot)) throw zfsFailure(args, outcome);
    if (this.implementation !== "fuse") return;
    // Now, while it is mounted: to mount it again for that takes a command.
    if (this.fuse.isMounted(id)) this.counted.set(id, objectsAt(this.fuse.mountPoint(id)));
    this.fuse.unmount(id);
  }

  attach(id: SnapshotId): void {
    if (this.implementation === "kernel") return;
    this.fuse.prepare(id);
    if (this.fuse.isMounted(id)) return;
    const args = ["mount", datasetOf(this.dataset, id)];
    const failure = patiently(() => {
      const outcome = tryZfs(args);
      if (this.fuse.isMounted(id)) return "mounted";
      if (outcome.status === 0) return undefined;
      return /busy/.test(outcome.stderr) ? "busy" : zfsFailure(args, outcome);
    });
    if (failure === "mounted") return;
    if (failure instanceof TsimgError) throw failure;
    const place = this.fuse.mountPoint(id);
    throw new TsimgError("ERR_DRIVER", `zfs-fuse did not mount a dataset on '${place}'`, {
      hint: `see where it did: zfs get mountpoint,mounted ${datasetOf(this.dataset, id)}`,
    });
  }

  mounts(id: SnapshotId, _parents: readonly SnapshotId[], mode: "rw" | "ro"): readonly MountSpec[] {
    const options = [mode];
    if (this.implementation === "fuse")
      return [{ type: "bind", source: this.fuse.mountPoint(id), options, api: "mount" }];
    const dataset = datasetOf(this.dataset, id);
    // OpenZFS lets no dataset be mounted read-only while it is mounted writable, nor the other
    // way round, not even elsewhere. It doesn't mind with snapshots.
    const seal = `${dataset}@${SEAL}`;
    const source = mode === "ro" && hasDataset(seal) ? seal : dataset;
    return [{ type: "zfs", source, options, api: "fsconfig" }];
  }

  destroy(ids: readonly SnapshotId[]): void {
    if (ids.length === 0) return;
    const fuse = this.implementation === "fuse" ? this.fuse : undefined;
    for (const id of ids) fuse?.unmount(id);
    this.listing.forget();
    try {
      destroyDatasets(
        this.implementation,
        ids.map((id) => datasetOf(this.dataset, id)),
      );
    } finally {
      fuse?.forget(ids);
    }
  }

  list(): readonly SnapshotId[] {
    // A mount point without a dataset is all that there is of a `create` cut short.
    const points = this.implementation === "fuse" ? this.fuse.names() : [];
    const datasets = [...this.listing.get().keys(), ...points.map((it) => `${this.dataset}/${it}`)];
    const ids = datasets.map((dataset) => idOf(this.dataset, dataset));
    return [...new Set(ids.filter((id) => id !== undefined))];
  }

  /** As of the last transaction group: what was written seconds ago may not be counted yet. */
  usage(id: SnapshotId): Usage {
    const facts = this.listing.of(datasetOf(this.dataset, id));
    if (facts === undefined)
      throw new TsimgError("ERR_NO_SUCH_SNAPSHOT", `there is no dataset of snapshot '${id}'`);
    const parent = facts.origin === undefined ? undefined : idOf(this.dataset, facts.origin);
    const own = this.counted.get(id) ?? this.objects(id);
    const inodes = own - (parent === undefined ? this.emptyObjects : this.objectsBelow(parent));
    return { bytes: facts.bytes, inodes: Math.max(0, inodes) };
  }

  paths(id: SnapshotId): Readonly<Record<string, string>> {
    const Dataset = datasetOf(this.dataset, id);
    return this.implementation === "fuse"
      ? { Dataset, Mountpoint: this.fuse.mountPoint(id) }
      : { Dataset };
  }

  private get implementation(): Implementation {
    this.speaksTo ??= zfsImplementation();
    return this.speaksTo;
  }

  private get fuse(): FuseHome {
    if (this.mountPoints === undefined) {
      mkdirSync(this.home, { recursive: true, mode: 0o700 });
      // The daemon and the kernel's table of mounts know it by its real path.
      this.mountPoints = new FuseHome(realpathSync(this.home));
    }
    return this.mountPoints;
  }

  /** Objects of a file system with nothing in it, its root directory left out. */
  private get emptyObjects(): number {
    return this.implementation === "kernel" ? 5 : 3;
  }

  private objectsBelow(parent: SnapshotId): number {
    const objects = this.counted.get(parent) ?? this.objects(parent);
    this.counted.set(parent, objects);
    return objects;
  }

  /** How many objects a snapshot's file system has, its parents' included. */
  private objects(id: SnapshotId): number {
    const wasMounted = this.implementation === "kernel" || this.fuse.isMounted(id);
    this.attach(id);
    try {
      // Writable, since a file system that is in use so can't be mounted read-only beside.
      using tree = openMount(this.mounts(id, [], "rw"), "rw", () => this.home);
      return objectsAt(tree.path);
    } finally {
      if (!wasMounted) this.fuse.unmount(id);
    }
  }

  private makeDataset(): void {
    const properties = { mountpoint: "none", "com.sun:auto-snapshot": "false" };
    zfs(["create", "-p", ...propertyArguments(properties), this.dataset]);
  }
}

function objectsAt(path: string): number {
  const { files, ffree } = statfsSync(path);
  return files - ffree;
}
