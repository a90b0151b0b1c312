import { readStart } from "../../src/sys/block-device.ts";
import type { MountSpec } from "../../src/sys/mount-spec.ts";

export type FileSystemType = "ext4" | "xfs";

export interface FileSystemFacts {
  readonly type: FileSystemType;
  /** Bytes of a block, and their number. */
  readonly blockSize: number;
  readonly blocks: number;
}

/** Bytes of a superblock, and what is before it, that are looked at. */
const SUPERBLOCK_END = 4096;
const MIB = 2 ** 20;

/**
 * The command that makes an empty file system of `bytes` bytes.
 *
 * ext4: as many inodes as blocks, so that no number of small files uses them up; the tables
 * take no space before they are used. The journal is written in full: every block of it is
 * then the base's, and no copy of it can ever hold what another snapshot, with the same UUID
 * and the same sequence numbers, has left in a block that was freed.
 */
export function formatCommand(
  type: FileSystemType,
  device: string,
  bytes: number,
): readonly string[] {
  if (type === "xfs")
    return ["mkfs.xfs", "-q", "-f", "-K", "-i", "maxpct=0", "-d", `size=${bytes}`, device];
  const journal = bytes >= 512 * MIB ? ["-J", "size=32"] : [];
  const extended = "lazy_itable_init=1,lazy_journal_init=0,nodiscard";
  const size = `${Math.floor(bytes / 1024)}k`;
  return [
    ...["mkfs.ext4", "-q", "-F", "-b", "4096", "-i", "4096", "-I", "256", "-m", "0"],
    ...["-e", "remount-ro", "-E", extended, ...journal, device, size],
  ];
}

/**
 * The mount of a device. A sealed one is mounted as a read-only file system; for one that is
 * not, the file system stays writable and only the mount is read-only, since it may be
 * mounted elsewhere at the same time, and the kernel wants both to agree.
 */
export function deviceMount(type: FileSystemType, device: string, sealed: boolean): MountSpec {
  // The kernel is kept from writing all of ext4's inode tables, which would fill the pool.
  const own = type === "ext4" ? ["noinit_itable"] : ["nouuid"];
  if (sealed) return { type, source: device, options: ["ro", ...own], api: "mount" };
  return { type, source: device, options: ["rw", "discard", ...own], api: "fsconfig" };
}

/**
 * What file system is on a device, by its superblock.
 * @returns undefined when it is neither ext4 nor xfs
 */
export function fileSystemOn(device: string): FileSystemFacts | undefined {
  return parseSuperblock(readStart(device, SUPERBLOCK_END));
}

/** @param bytes the first 4096 of a device */
export function parseSuperblock(bytes: Buffer): FileSystemFacts | undefined {
  if (bytes.length < SUPERBLOCK_END) return undefined;
  if (bytes.toString("latin1", 0, 4) === "XFSB")
    return {
      type: "xfs",
      blockSize: bytes.readUInt32BE(4),
      blocks: Number(bytes.readBigUInt64BE(8)),
    };
  const ext4 = bytes.subarray(1024);
  if (ext4.readUInt16LE(0x38) !== 0xef53) return undefined;
  return {
    type: "ext4",
    blockSize: 1024 << Math.min(ext4.readUInt32LE(0x18), 6),
    blocks: ext4.readUInt32LE(0x150) * 2 ** 32 + ext4.readUInt32LE(0x4),
  };
}
