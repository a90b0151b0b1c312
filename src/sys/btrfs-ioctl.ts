import { tolerating } from "./errno.ts";
import { ioctl } from "./ioctl.ts";
import { shown } from "./libc.ts";
import type { OpenDirectory } from "./open-directory.ts";

// Requests, structures and flags of <linux/btrfs.h>, for 64-bit machines.
const SUBVOL_CREATE_V2 = { name: "BTRFS_IOC_SUBVOL_CREATE_V2", number: 0x5000_9418 };
const SNAP_CREATE_V2 = { name: "BTRFS_IOC_SNAP_CREATE_V2", number: 0x5000_9417 };
const SNAP_DESTROY = { name: "BTRFS_IOC_SNAP_DESTROY", number: 0x5000_940f };
const SUBVOL_GETFLAGS = { name: "BTRFS_IOC_SUBVOL_GETFLAGS", number: 0x8008_9419 };
const SUBVOL_SETFLAGS = { name: "BTRFS_IOC_SUBVOL_SETFLAGS", number: 0x4008_941a };
const GET_SUBVOL_INFO = { name: "BTRFS_IOC_GET_SUBVOL_INFO", number: 0x81f8_943c };
const SYNC = { name: "BTRFS_IOC_SYNC", number: 0x9408 };
const QUOTA_CTL = { name: "BTRFS_IOC_QUOTA_CTL", number: 0xc010_9428 };
const QUOTA_RESCAN_WAIT = { name: "BTRFS_IOC_QUOTA_RESCAN_WAIT", number: 0x942e };
const QGROUP_LIMIT = { name: "BTRFS_IOC_QGROUP_LIMIT", number: 0x8030_942b };
const QGROUP_CREATE = { name: "BTRFS_IOC_QGROUP_CREATE", number: 0x4010_942a };

const VOLUME_ARGUMENTS = 4096;
const NAME_IN_V1 = 8;
const NAME_IN_V2 = 56;
const INFO_BYTES = 504;
const INFO_PARENT_UUID = 312;
const INFO_OTRANSID = 352;
const SUBVOL_RDONLY = 2n;
const QUOTA_ENABLE = 1n;
const QGROUP_MAX_RFER = 1n;

/** The inode of every subvolume's root. */
export const SUBVOLUME_ROOT = 256;

/** Makes an empty subvolume `name` in `directory`. */
export function createSubvolume(directory: OpenDirectory, name: string): void {
  const place = { path: `${directory.path}/${name}` };
  ioctl(directory.fd, SUBVOL_CREATE_V2, named(NAME_IN_V2, name), place);
}

/** Makes a writable snapshot `name` of `source` in `directory`: whole, or not at all. */
export function snapshotSubvolume(
  directory: OpenDirectory,
  name: string,
  source: OpenDirectory,
): void {
  const place = { path: source.path, dest: `${directory.path}/${name}` };
  const args = named(NAME_IN_V2, name);
  args.writeBigInt64LE(BigInt(source.fd), 0);
  ioctl(directory.fd, SNAP_CREATE_V2, args, place);
}

/** Deletes the subvolume `name` of `directory`, which must have none inside. */
export function destroySubvolume(directory: OpenDirectory, name: string | Buffer): void {
  const place = { path: `${directory.path}/${shown(name)}` };
  ioctl(directory.fd, SNAP_DESTROY, named(NAME_IN_V1, name), place);
}

/** Makes a subvolume read-only, or writable again. */
export function setReadOnly(subvolume: OpenDirectory, readOnly: boolean): void {
  const flags = Buffer.alloc(8);
  ioctl(subvolume.fd, SUBVOL_GETFLAGS, flags, { path: subvolume.path });
  const before = flags.readBigUInt64LE();
  const after = readOnly ? before | SUBVOL_RDONLY : before & ~SUBVOL_RDONLY;
  // Even a change to the same commits a transaction.
  if (after === before) return;
  flags.writeBigUInt64LE(after);
  ioctl(subvolume.fd, SUBVOL_SETFLAGS, flags, { path: subvolume.path });
}

export interface SubvolumeInfo {
  readonly id: number;
  /** The transaction that made the snapshot: 0 for what was made empty. */
  readonly snapshotOf: number;
}

export function subvolumeInfo(subvolume: OpenDirectory): SubvolumeInfo {
  const info = Buffer.alloc(INFO_BYTES);
  ioctl(subvolume.fd, GET_SUBVOL_INFO, info, { path: subvolume.path });
  const isSnapshot = info.subarray(INFO_PARENT_UUID, INFO_PARENT_UUID + 16).some((byte) => byte);
  return {
    id: Number(info.readBigUInt64LE(0)),
    snapshotOf: isSnapshot ? Number(info.readBigUInt64LE(INFO_OTRANSID)) : 0,
  };
}

/**
 * Writes everything to the disk and starts the kernel's cleaner, which frees the space of
 * deleted subvolumes.
 */
export function syncBtrfs(directory: OpenDirectory): void {
  ioctl(directory.fd, SYNC, 0, { path: directory.path });
}

/** Switches quotas on where they are off, and waits until what is there has been counted. */
export function enableQuota(directory: OpenDirectory): void {
  const args = Buffer.alloc(16);
  args.writeBigUInt64LE(QUOTA_ENABLE, 0);
  ioctl(directory.fd, QUOTA_CTL, args, { path: directory.path });
  ioctl(directory.fd, QUOTA_RESCAN_WAIT, 0, { path: directory.path });
}

/** Limits the bytes that a subvolume refers to, those shared with others included. */
export function limitReferenced(subvolume: OpenDirectory, bytes: number): void {
  const args = Buffer.alloc(48);
  args.writeBigUInt64LE(QGROUP_MAX_RFER, 8);
  args.writeBigUInt64LE(BigInt(bytes), 16);
  ioctl(subvolume.fd, QGROUP_LIMIT, args, { path: subvolume.path });
}

/** Drops the quota group of a subvolume that is gone, where there is one and the kernel can. */
export function dropQuotaGroup(directory: OpenDirectory, subvolume: number): void {
  const args = Buffer.alloc(16);
  args.writeBigUInt64LE(BigInt(subvolume), 8);
  const place = { path: directory.path };
  tolerating(["ENOTCONN", "ENOENT", "EBUSY", "EINVAL"], () =>
    ioctl(directory.fd, QGROUP_CREATE, args, place),
  );
}

/** The arguments that all requests about a subvolume by its name share. */
function named(offset: number, name: string | Buffer): Buffer {
  const args = Buffer.alloc(VOLUME_ARGUMENTS);
  const bytes = Buffer.from(name);
  if (bytes.length >= 256) throw new RangeError(`a name of ${bytes.length} bytes`);
  bytes.copy(args, offset);
  return args;
}
