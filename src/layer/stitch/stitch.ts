import { errorCode, tolerating } from "../../sys/errno.ts";
import { inUserNamespace } from "../../sys/user-namespace.ts";
import { entryError } from "../entry-error.ts";
import { isOverlayMark } from "../metadata.ts";
import type { LayerRemainder } from "../remainder.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { ImpliedDirectories } from "./implied.ts";
import { stitchLinks } from "./links.ts";
import { MergedTree } from "./merged-tree.ts";
import { isWhiteout, parentOf, type TreeRoot } from "./tree-path.ts";
import type { UpperTree } from "./upper-tree.ts";

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
 * - Devices and privileged attributes, which the unpack process could not make, are made.
 *
 * @param below the parent's merged tree; undefined for a base layer
 * @returns the directories that hide those of the parent: to be marked, or to be emptied
 * @throws TsimgError ERR_LAYER_UNSAFE, ERR_LAYER_CORRUPT; the layer is then to be destroyed
 */
export function stitchLayer(
  upper: UpperTree,
  below: TreeRoot | undefined,
  remainder: LayerRemainder,
): readonly string[] {
  const opaqueRoot = remainder.rootOpaque ? [""] : [];
  const tree = new MergedTree(upper, below, [...remainder.opaque, ...opaqueRoot]);
  const directories = new ImpliedDirectories(tree, remainder);
  const place = (path: string) => directories.place(path);
  for (const device of remainder.devices) makeDevice(upper, device);
  directories.stitch();
  stitchLinks(tree, remainder.links, place);
  for (const path of remainder.whiteouts) dropVainWhiteout(tree, place(path));
  directories.prune();
  for (const { path, name, value } of remainder.xattrs)
    if (!isOverlayMark(name)) setAttribute(upper, place(path === "." ? "" : path), name, value);
  const root = below?.look("");
  if (remainder.rootImplied && below !== undefined && root !== undefined)
    upper.takeMetadata(below, "", root, "");
  return directories.hiding().filter((path) => tree.lookBelow(path)?.isDirectory() === true);
}

/** Marks directories for overlay: what is in them below doesn't show. */
export function markOpaque(upper: UpperTree, paths: readonly string[]): void {
  if (paths.length === 0) return;
  // Root of a user namespace has no say over trusted attributes; overlay then reads others.
  const space = inUserNamespace() ? "user" : "trusted";
  const mark = `${space}.overlay.opaque` as ByteString;
  for (const path of paths) upper.setXattr(path, mark, Buffer.from("y"));
}

/** Not every file system has all the device numbers that Linux has. */
function makeDevice(upper: UpperTree, device: LayerRemainder["devices"][number]): void {
  try {
    upper.makeDevice(device);
  } catch (error) {
    // Root of a user namespace makes no devices; a container there has the host's.
    if (errorCode(error) === "EPERM" && inUserNamespace()) return;
    throw entryError(error, device.paths[0] ?? ("" as ByteString));
  }
}

function dropVainWhiteout(tree: MergedTree, path: string): void {
  const stat = tree.upper.look(path);
  if (stat === undefined || !isWhiteout(stat) || tree.lookBelow(path) !== undefined) return;
  tree.upper.keepingTime(parentOf(path), () => tree.upper.unlink(path));
}

/** What the kernel takes from nobody (`user.*` on a symlink) is left out, as with every peer. */
function setAttribute(upper: UpperTree, path: string, name: ByteString, value: string): void {
  tolerating(["EPERM", "ENOTSUP", "EOPNOTSUPP"], () =>
    upper.setXattr(path, name, Buffer.from(value, "base64")),
  );
}
