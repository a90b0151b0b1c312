import {
  chmodSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { TsimgError } from "../../sys/error.ts";
import { deviceNumber, makeNode, S_IFBLK, S_IFCHR } from "../../sys/file-node.ts";
import { setXattr } from "../../sys/xattr.ts";
import { isOverlayMark, setTime } from "../metadata.ts";
import type { DeviceNode, LayerRemainder } from "../remainder.ts";
import { type ByteString, displayName, toBuffer } from "../tar/byte-string.ts";
import { copyMetadata } from "./copy.ts";
import { MergedTree, unsafe } from "./merged-tree.ts";
import { isWhiteout, joinPath, parentOf } from "./tree-path.ts";

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
 * - A whiteout of what isn't there goes.
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
  const moves: Move[] = [];
  for (const path of remainder.implied) stitchImplied(tree, follow(moves, path), moves);
  for (const path of remainder.whiteouts) stitchWhiteout(tree, follow(moves, path));
  for (const device of remainder.devices) makeDevice(tree, follow(moves, device.path), device);
  for (const { path, target } of remainder.links)
    stitchLink(tree, follow(moves, path), follow(moves, target));
  for (const { path, name, value } of remainder.xattrs)
    if (!isOverlayMark(name))
      setXattr(
        tree.upper.at(follow(moves, path === "." ? "" : path)),
        toBuffer(name),
        Buffer.from(value, "base64"),
      );
  for (const path of remainder.opaque.map((path) => follow(moves, path)))
    if (tree.lookBelow(path)?.isDirectory() === true)
      setXattr(tree.upper.at(path), OPAQUE_MARK, Buffer.from("y"));
  if (remainder.rootImplied && below !== undefined) copyRoot(tree);
}

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Where something is after directories were moved. */
function follow(moves: readonly Move[], path: string): string {
  let at = path;
  for (const { from, to } of moves) {
    if (at === from) at = to;
    else if (at.startsWith(`${from}/`)) at = joinPath(to, at.slice(from.length + 1));
  }
  return at;
}

function stitchImplied(tree: MergedTree, path: string, moves: Move[]): void {
  const stat = tree.lookBelow(path);
  if (stat === undefined || tree.below === undefined) return;
  if (stat.isDirectory()) return copyMetadata(tree.below.at(path), stat, tree.upper.at(path));
  if (!stat.isSymbolicLink()) return;
  // The layer's directory hides the symlink that should have led elsewhere: out of the way.
  const aside = `${path}.tsimg-moving`;
  const parent = parentOf(path);
  tree.upper.keepingTime(parent, () => renameSync(tree.upper.at(path), tree.upper.at(aside)));
  const target = tree.resolve(path, true);
  if (target === path || target.startsWith(`${path}/`))
    throw unsafe(path, "is a symlink to itself");
  makeDirectories(tree, target);
  merge(tree, aside, target);
  tree.upper.keepingTime(parent, () => rmdirSync(tree.upper.at(aside)));
  moves.push({ from: path, to: target });
}

/** As `bringUpDirectory`, but what is nowhere yet is made new. */
function makeDirectories(tree: MergedTree, path: string): void {
  if (path === "" || tree.look(path) !== undefined) return tree.bringUpDirectory(path);
  makeDirectories(tree, parentOf(path));
  const made = tree.upper.at(path);
  tree.upper.keepingTime(parentOf(path), () => mkdirSync(made, 0o755));
  chmodSync(made, 0o755);
  setTime(made, { seconds: 0, nanoseconds: 0 });
}

/** Moves what is in one directory of the layer into another; what is there already stays. */
function merge(tree: MergedTree, from: string, to: string): void {
  for (const name of readdirSync(tree.upper.at(from), { encoding: "latin1" })) {
    const [source, target] = [joinPath(from, name), joinPath(to, name)];
    const standing = tree.upper.look(target);
    if (standing === undefined || isWhiteout(standing))
      tree.upper.keepingTime(to, () => renameSync(tree.upper.at(source), tree.upper.at(target)));
    else if (standing.isDirectory() && tree.upper.look(source)?.isDirectory() === true) {
      merge(tree, source, target);
      rmdirSync(tree.upper.at(source));
    } else throw unsafe(target, "is written twice, once through a symlink of a lower layer");
  }
}

function stitchWhiteout(tree: MergedTree, path: string): void {
  const stat = tree.upper.look(path);
  if (stat === undefined || !isWhiteout(stat) || tree.lookBelow(path) !== undefined) return;
  tree.upper.keepingTime(parentOf(path), () => unlinkSync(tree.upper.at(path)));
}

function stitchLink(tree: MergedTree, path: string, name: string): void {
  const target = tree.resolve(name, false);
  const found = tree.look(target);
  const link = `hard link '${displayName(path as ByteString)}' to '${displayName(name as ByteString)}'`;
  if (found === undefined || found.stat.isDirectory())
    throw new TsimgError(
      "ERR_LAYER_CORRUPT",
      `${link}: ${found === undefined ? "there is no such file" : "that is a directory"}`,
      { hint: "the layer does not fit the layers below it: pull or build the image again" },
    );
  if (found.in === "below") {
    tree.bringUpDirectory(parentOf(target));
    tree.bringUp(target, found);
  }
  tree.bringUpDirectory(parentOf(path));
  tree.upper.keepingTime(parentOf(path), () =>
    linkSync(tree.upper.at(target), tree.upper.at(path)),
  );
}

function makeDevice(tree: MergedTree, path: string, device: DeviceNode): void {
  tree.bringUpDirectory(parentOf(path));
  const at = tree.upper.at(path);
  const type = device.type === "block" ? S_IFBLK : S_IFCHR;
  tree.upper.keepingTime(parentOf(path), () => {
    makeNode(at, type | 0o600, deviceNumber(device.major, device.minor));
    lchownSync(at, device.uid, device.gid);
    chmodSync(at, device.mode);
    setTime(at, device);
  });
}

function copyRoot(tree: MergedTree): void {
  const stat = tree.below?.look("");
  if (stat !== undefined && tree.below !== undefined)
    copyMetadata(tree.below.at(""), stat, tree.upper.at(""));
}
