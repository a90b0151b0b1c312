import { closeSync, openSync } from "node:fs";
import { type IoctlRequest, ioctl } from "./ioctl.ts";

const EXT4_RESIZE: IoctlRequest = { name: "EXT4_IOC_RESIZE_FS", number: 0x40086610 };
const XFS_GROW: IoctlRequest = { name: "XFS_IOC_FSGROWFSDATA", number: 0x4010586e };

/**
 * Makes a mounted file system larger, up to the device's end.
 *
 * @param root   any directory of it
 * @param blocks its new size in its own blocks
 * @throws ErrnoError
 */
export function growFileSystem(type: "ext4" | "xfs", root: string, blocks: number): void {
  // For xfs struct xfs_growfs_data: the 0 after the size lets inodes take all of the space.
  const argument = Buffer.alloc(16);
  argument.writeBigUInt64LE(BigInt(blocks));
  const fd = openSync(root, "r");
  try {
    ioctl(fd, type === "ext4" ? EXT4_RESIZE : XFS_GROW, argument, { path: root });
  } finally {
    closeSync(fd);
  }
}
