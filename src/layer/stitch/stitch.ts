import { chmodSync, lchownSync, linkSync, unlinkSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { deviceNumber, makeNode, S_IFBLK, S_IFCHR } from "../../sys/file-node.ts";
import { setXattr } from "../../sys/xattr.ts";
import { isOverlayMark, setTime } from "../metadata.ts";
import type { DeviceNode, LayerRemainder } from "../remainder.ts";
import { toBuffer } from "../tar/byte-string.ts";
import { copyMetadata } from "./copy.ts";
import { ImpliedDirectories } from "./implied.ts";
import { stitchLinks } from "./links.ts";
import { MergedTree } from "./merged-tree.ts";
import { isWhiteout, parentOf } from "./tree-path.ts";

const OPAQUE_MARK = "trusted.overlay.opaque";

/** Whether stitching must look into the parent's tree, or only at its root directory. */
export function needsParentTree(remainder: LayerRemainder): boolean {
  const { implied, opaque, whiteouts, links, devices, xattrs } = remainder;
  return [implied, opaque, whiteouts, links, devices, xattrs].some((list) => list.length > 0);
}

/**
 * Puts a layer, which was unpacked without its parent, on top of it.
 *
 * - A directory that the archive only implies takes owner, mode, times and attributes of
 *   the parent's; where the parent has a symlink, what was written goes where that leads.
 * - A hard link to a file of the parent gets a copy of it to link to.
 * - A whiteout of what isn't there goes, and with it the directories that only it implied.
 * - Devices, privileged attributes and opaque marks, which the unpack process could not
 *   make, are made.
 *
 * @param upper the layer's own directory
 * @param below the parent's merged tree; undefined for a base layer
 * @throws TsimgError ERR_LAYER_UNSAFE, ERR_LAYER_CORRUPT; the layer is then to be destroyed
 */
export function stitchLayer(
  upper: string,
  below: string | undefined,
  remainder: LayerRemainder,
): void {
  const root = remainder.rootOpaque ? [""] : [];
  const tree = new MergedTree(upper, below, [...remainder.opaque, ...root]);
  const directories = new ImpliedDirectories(tree, remainder);
  const place = (path: string) => directories.place(path);
  for (const device of remainder.devices) makeDevice(tree, device);
  directories.stitch();
  stitchLinks(tree, remainder.links, place);
  for (const path of remainder.whiteouts) dropVainWhiteout(tree, place(path));
  directories.prune();
  for (const { path, name, value } of remainder.xattrs)
    if (!isOverlayMark(name))
      setAttribute(tree.upper.at(place(path === "." ? "" : path)), name, value);
  for (const path of directories.hiding())
    if (tree.lookBelow(path)?.isDirectory() === true)
      setXattr(tree.upper.at(path), OPAQUE_MARK, Buffer.from("y"));
  if (remainder.rootImplied && below !== undefined) copyRoot(tree);
}

function dropVainWhiteout(tree: MergedTree, path: string): void {
  const stat = tree.upper.look(path);
  if (stat === undefined || !isWhiteout(stat) || tree.lookBelow(path) !== undefined) return;
  tree.upper.keepingTime(parentOf(path), () => unlinkSync(tree.upper.at(path)));
}

function makeDevice({ upper }: MergedTree, device: DeviceNode): void {
  const [first, ...others] = device.paths;
  if (first === undefined) return;
  const type = device.type === "block" ? S_IFBLK : S_IFCHR;
  const at = upper.at(first);
  upper.keepingTime(parentOf(first), () => {
    makeNode(at, type | 0o600, deviceNumber(device.major, device.minor));
    lchownSync(at, device.uid, device.gid);
    chmodSync(at, device.mode);
    setTime(at, device);
  });
  for (const path of others) upper.keepingTime(parentOf(path), () => linkSync(at, upper.at(path)));
}

/** What the kernel takes from nobody (`user.*` on a symlink) is left out, as with every peer. */
function setAttribute(at: Buffer, name: Parameters<typeof toBuffer>[0], value: string): void {
  tolerating(["EPERM", "ENOTSUP", "EOPNOTSUPP"], () =>
    setXattr(at, toBuffer(name), Buffer.from(value, "base64")),
  );
}

function copyRoot(tree: MergedTree): void {
  const stat = tree.below?.look("");
  if (stat !== undefined && tree.below !== undefined)
    copyMetadata(tree.below.at(""), stat, tree.upper.at(""));
}
