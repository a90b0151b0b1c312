import { enableQuota, limitReferenced, subvolumeInfo } from "../../src/sys/btrfs-ioctl.ts";
import { QUOTA_TREE, searchTree } from "../../src/sys/btrfs-tree.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { type OpenDirectory, openDirectory } from "../../src/sys/open-directory.ts";

const QGROUP_INFO = 242;
const INFO_REFERENCED = 8;
const UNITS = "bkmgtp";

/**
 * Bytes of a size as docker writes them: `500000000`, `512m`, `10G`, `1.5TiB`; a unit is a
 * power of 1024.
 * @throws TsimgError ERR_USAGE
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,15})?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text);
  const unit = UNITS.indexOf((match?.[2] ?? "b").toLowerCase() || "b");
  const bytes = Math.floor(Number(match?.[1]) * 1024 ** unit);
  if (match !== null && bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new TsimgError("ERR_USAGE", `storage option 'size' can't be '${text}'`, {
    hint: "it is a number of bytes, or one with a unit: 512m, 10G",
  });
}

/**
 * Limits what the subvolume `name` of `home` may refer to, its image included. Quotas are
 * switched on for the whole file system where they are off.
 * @throws TsimgError ERR_USAGE when there is more in it already
 */
export function limitSubvolume(home: OpenDirectory, name: string, bytes: number): void {
  enableQuota(home);
  using subvolume = openDirectory(`${home.path}/${name}`);
  limitReferenced(subvolume, bytes);
  const referenced = referencedBytes(home, subvolumeInfo(subvolume).id);
  if (referenced <= bytes) return;
  throw new TsimgError("ERR_USAGE", `storage option 'size' of ${bytes} bytes is too small`, {
    hint: `the image takes ${referenced} bytes, and they count`,
  });
}

/** Bytes that a subvolume refers to, by its quota group. */
function referencedBytes(home: OpenDirectory, subvolume: number): number {
  const range = { tree: QUOTA_TREE, objectId: 0, type: QGROUP_INFO };
  for (const { offset, data } of searchTree(home, range))
    if (Number(offset) === subvolume) return Number(data.readBigUInt64LE(INFO_REFERENCED));
  return 0;
}
