import type { StorePaths } from "../../store/paths.ts";

/** What a pool is made of: what `tsimg pool create --driver` takes. */
export const POOL_KINDS = ["zfs", "btrfs", "xfs", "ext4", "devicemapper"] as const;

export type PoolKind = (typeof POOL_KINDS)[number];

/** A place for snapshots in files of the host, for who has no partition to spare. */
export interface Pool {
  readonly name: string;
  readonly kind: PoolKind;
  /** Absolute; sparse. A thin pool has its metadata in `<file>.meta`. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly state: "creating" | "ready" | "removing";
  readonly created: string;
  /** The zpool's or thin pool's name on this machine, which other stores share. */
  readonly hostName: string;
  /** Where it is mounted, or where its snapshots are. */
  readonly directory: string;
}

export interface PoolUsage {
  /** Bytes. */
  readonly size: number;
  readonly used: number;
  /** Inodes, where their number is limited. */
  readonly inodes?: { readonly size: number; readonly used: number };
}

/**
 * How one kind of pool is made, found again and taken away. All are synchronous, and take
 * what a crash left: what is half made, or half gone, can be released.
 */
export interface PoolKeeper {
  /** Bytes of the smallest that it can make. */
  readonly least: number;
  /** Programs that it needs. */
  readonly programs: readonly string[];
  /** @throws TsimgError ERR_DRIVER when this machine can't have such pools, with the cure */
  requireWorking?(): void;
  /** Every file that the pool consists of, with its size. */
  files(pool: Pool): Readonly<Record<string, number>>;
  /** Makes the pool in its empty files and attaches it. */
  format(pool: Pool, options: readonly string[]): void;
  /** Whether it can be used right now. Cheap: asked by every command that uses the pool. */
  isAttached(pool: Pool): boolean;
  /** Makes it usable, as after a reboot. Called under the lock of its file. */
  attach(pool: Pool): void;
  /** Lets go of its files, which are deleted next. A pool that isn't attached is no error. */
  release(pool: Pool): void;
  /** Of a pool that is attached. */
  usage(pool: Pool): PoolUsage;
}

export function poolsDirectory(paths: StorePaths): string {
  return `${paths.root}/pools`;
}
