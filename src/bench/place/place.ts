import type { SnapshotId, StorageDriver } from "../../../drivers/driver.ts";

/** What a file system holds. */
export interface Space {
  readonly bytes: number;
  /** Undefined where it counts none. */
  readonly inodes: number | undefined;
}

/** What has happened since some moment in the past: differences count. */
export interface Counters {
  /** Bytes that reached the place's device; undefined where nothing counts them. */
  readonly written: number | undefined;
  readonly read: number | undefined;
  /** System calls that read or write, of this process. */
  readonly calls: number;
  /** Seconds of processor time: of this process, and of the daemon that a file system is. */
  readonly processor: number;
}

/** What the place lies on, for the report. */
export interface Backing {
  /** `ext4`, `zfs`. */
  readonly fileSystem: string;
  readonly mountOptions: string;
  /** `a 16 GiB file on ext4 (/dev/vda)`, `pool 'fast'`. */
  readonly device: string;
}

/** A driver with a file system of its own to be measured on. */
export interface Place {
  /** As in the report: `overlay2`, `zfs (FUSE)`, `overlay2 #2`. */
  readonly name: string;
  readonly driver: StorageDriver;
  /** What `--driver` takes in the bench's own store. */
  readonly driverName: string;
  readonly backing: Backing;
  /** What a reader must know: `a FUSE daemon, not the kernel's file system`. */
  readonly notes: readonly string[];
  /** A name for one more snapshot: the same ones in the same order on every place. */
  nextId(): SnapshotId;
  /** A directory for mount points, which only old kernels need. */
  readonly views: string;
  /** Writes back all that is dirty. */
  settle(): Promise<void>;
  /** Writes back all that is dirty, journals included, then drops the machine's caches. */
  chill(): void;
  space(): Space;
  counters(): Counters;
}
