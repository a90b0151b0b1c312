import { statfsSync } from "node:fs";

/** The times that a file system can keep. */
export interface KeptTimes {
  /** Every time is a multiple of so many nanoseconds. */
  readonly step: bigint;
  /** Seconds since 1970 of the earliest and of the latest one. */
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * What the file system under a driver keeps of a tree. No case is left out for what one of
 * them can't: it asserts the nearest that it can.
 */
export interface Keeps {
  readonly times: KeptTimes;
  /** The largest user or group id. Linux itself has 4,294,967,294. */
  readonly largestId: number;
  /** The largest major and minor number of a device. Linux itself has 12 and 20 bits. */
  readonly largestDevice: readonly [major: number, minor: number];
  /** Whether an extended attribute of this name can be set on something of this type. */
  readonly xattr: (name: string, type: string) => boolean;
  /** An access control list that says no more than a mode becomes that mode. */
  readonly modesByLists: boolean;
  /** Holes take no space. */
  readonly holes: boolean;
  /**
   * What is changed by one name of a file below shows by its other names. Overlay copies the
   * one name up, which parts it from them.
   */
  readonly oneFileOfManyNames: boolean;
  /** Files that have no name yet, by O_TMPFILE. */
  readonly namelessFiles: boolean;
  /** What a snapshot has in common with its parent takes no space a second time. */
  readonly sharedSpace: boolean;
}

const WIDE = 1n << 62n;
export const LARGEST_ID = 4_294_967_294;
export const LARGEST_DEVICE = [4095, 1_048_575] as const;

/** ext4 with inodes of 256 bytes: 34 bits of seconds. */
export const EXT4_TIMES: KeptTimes = {
  step: 1n,
  first: -(1n << 31n),
  last: (1n << 34n) - (1n << 31n) - 1n,
};

/** xfs with `bigtime`, which mkfs.xfs makes since 5.15. */
export const XFS_TIMES: KeptTimes = { step: 1n, first: -(1n << 31n), last: 16_299_260_424n };

/** Times by the type that statfs(2) tells. */
const TIMES_BY_TYPE: Readonly<Record<number, KeptTimes>> = {
  61267: EXT4_TIMES,
  1481003842: XFS_TIMES,
};

/** What Linux's own file systems keep. */
export const KEEPS_ALL: Keeps = {
  times: { step: 1n, first: -WIDE, last: WIDE },
  largestId: LARGEST_ID,
  largestDevice: LARGEST_DEVICE,
  // The kernel takes user.* from files and directories only. @see xattr(7)
  xattr: (name, type) => type === "file" || type === "dir" || !name.startsWith("user."),
  modesByLists: true,
  holes: true,
  oneFileOfManyNames: true,
  namelessFiles: true,
  sharedSpace: true,
};

/** The times that the file system at `directory` keeps. */
export function timesAt(directory: string): KeptTimes {
  return TIMES_BY_TYPE[statfsSync(directory).type] ?? KEEPS_ALL.times;
}

/** What xfs keeps, where it is made with `bigtime`. */
export const XFS_DIFFERS: Partial<Keeps> = { times: XFS_TIMES, largestDevice: [511, 262_143] };

/** What zfs-fuse keeps, run with `--enable-xattr`: ZFS of pool version 23, without holes. */
export const ZFS_FUSE_DIFFERS: Partial<Keeps> = {
  times: { step: 1_000_000_000n, first: -(1n << 31n), last: (1n << 31n) - 1n },
  largestId: 2_147_483_647,
  modesByLists: false,
  holes: false,
  namelessFiles: false,
};

/** What becomes of a time in nanoseconds: the nearest kept one that is not later. */
export function keptTime({ step, first, last }: KeptTimes, time: bigint): bigint {
  const [earliest, latest] = [first * 1_000_000_000n, last * 1_000_000_000n];
  const within = time < earliest ? earliest : time > latest ? latest : time;
  return within - (((within % step) + step) % step);
}
