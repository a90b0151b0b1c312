import { linkSync } from "node:fs";
import { setModificationTime } from "../../sys/file-node.ts";
import type { LayerRemainder } from "../remainder.ts";
import { replaceMetadata } from "../stitch/copy.ts";
import { DiskUpper } from "../stitch/disk-upper.ts";
import { stitchLayer } from "../stitch/stitch.ts";
import { isWhiteout, joinPath, TreeRoot } from "../stitch/tree-path.ts";
import type { TreeStat } from "../stitch/upper-tree.ts";
import { removeTree } from "./remove-tree.ts";

/**
 * Turns a writable copy of a parent's tree into the parent with a layer on top of it. The
 * layer stands, as it was unpacked, in a directory inside that very tree, so that files come
 * to their places by rename(2) alone.
 *
 * @param root  the tree
 * @param stage name of the layer's directory in the root; gone afterwards
 * @param isBase nothing is below the layer: the tree is a new one
 * @throws TsimgError ERR_LAYER_UNSAFE, ERR_LAYER_CORRUPT; the tree is then to be destroyed
 */
export function mergeLayer(
  root: string,
  stage: string,
  isBase: boolean,
  remainder: LayerRemainder,
): void {
  const tree = new ParentTree(root, stage);
  const layer = new Stage(`${root}/${stage}`);
  const replaced = new Set(stitchLayer(layer, isBase ? undefined : tree, remainder));
  const merge = new Merge(tree, layer, replaced);
  if (remainder.rootOpaque) merge.empty("");
  const time = layer.look("")?.mtimeNs;
  merge.directory("");
  removeTree(new TreeRoot(root).at(stage));
  if (time !== undefined) setModificationTime(tree.at(""), time);
}

/** The tree without the layer that stands in it. */
class ParentTree extends TreeRoot {
  private readonly stage: string;

  constructor(root: string, stage: string) {
    super(root);
    this.stage = stage;
  }

  override look(path: string): TreeStat | undefined {
    const hidden = path === this.stage || path.startsWith(`${this.stage}/`);
    return hidden ? undefined : super.look(path);
  }

  override list(path: string): readonly string[] {
    const names = super.list(path);
    return path === "" ? names.filter((name) => name !== this.stage) : names;
  }
}

/** A file that the layer takes from its parent is that very file under one more name. */
class Stage extends DiskUpper {
  override take(below: TreeRoot, from: string, stat: TreeStat, to: string): void {
    if (stat.isDirectory()) super.take(below, from, stat, to);
    else linkSync(below.at(from), this.at(to));
  }
}

class Merge {
  private readonly tree: TreeRoot;
  private readonly layer: DiskUpper;
  private readonly replaced: ReadonlySet<string>;

  constructor(tree: TreeRoot, layer: DiskUpper, replaced: ReadonlySet<string>) {
    this.tree = tree;
    this.layer = layer;
    this.replaced = replaced;
  }

  /** Merges the layer's directory into the tree's, which both are there. */
  directory(path: string): void {
    // Before anything is moved out of it, which is a change to it.
    const stat = this.layer.look(path);
    for (const name of this.layer.list(path)) this.one(joinPath(path, name));
    if (stat !== undefined) replaceMetadata(this.layer.at(path), stat, this.tree.at(path));
  }

  empty(path: string): void {
    for (const name of this.tree.list(path)) removeTree(this.tree.at(joinPath(path, name)));
  }

  private one(path: string): void {
    const { tree, layer } = this;
    const coming = layer.look(path);
    const standing = tree.look(path);
    if (coming === undefined) return;
    const both = coming.isDirectory() && standing?.isDirectory() === true;
    if (both && !this.replaced.has(path)) return this.directory(path);
    // rename(2) puts a file in the place of a file, but not of a directory, nor the reverse.
    const inTheWay = isWhiteout(coming) || coming.isDirectory() || standing?.isDirectory() === true;
    if (standing !== undefined && inTheWay) removeTree(tree.at(path));
    if (!isWhiteout(coming)) layer.moveOut(path, tree.at(path));
  }
}
