import { TsimgError } from "../../sys/error.ts";
import type { LayerRemainder } from "../remainder.ts";
import { type ByteString, displayName } from "../tar/byte-string.ts";
import { type MergedTree, writtenTwice } from "./merged-tree.ts";
import { joinPath, parentOf } from "./tree-path.ts";
import type { TreeStat } from "./upper-tree.ts";

/** A file of the parent of which the layer has a copy now. */
interface CopiedFile {
  readonly stat: TreeStat;
  /** A name of the copy in the layer. */
  readonly copy: string;
}

/**
 * Makes the hard links whose targets the layer doesn't have: each target is copied up, once,
 * and its other names below come along, so that they stay one file.
 *
 * A target that the layer takes away or replaces is what it was before: links refer to what
 * there was when they stood in the archive, and whiteouts come last.
 */
export function stitchLinks(
  tree: MergedTree,
  links: LayerRemainder["links"],
  place: (path: string) => string,
): void {
  const copied = new Map<string, CopiedFile>();
  for (const { path, target } of links) stitchLink(tree, copied, place(path), place(target));
  bringOtherNames(tree, [...copied.values()]);
}

function stitchLink(
  tree: MergedTree,
  copied: Map<string, CopiedFile>,
  path: string,
  name: string,
): void {
  const target = tree.resolve(name, false);
  const known = copied.get(target);
  // Reached by its own name it was not in the layer when the link stood in the archive.
  const upper = target === name ? undefined : tree.look(target);
  if (known !== undefined) return makeLink(tree, known.copy, path);
  if (upper?.in === "upper" && upper.stat.isDirectory() === false)
    return makeLink(tree, target, path);
  const stat = upper?.stat ?? tree.below?.look(target);
  if (stat === undefined) throw broken(path, name, "there is no such file");
  if (stat.isDirectory()) throw broken(path, name, "that is a directory");
  if (target === path) return;
  copied.set(target, { stat, copy: copyUp(tree, target, stat, path) });
}

/** @returns where the copy is that has `path` as a name, and `target` too if that still shows */
function copyUp(tree: MergedTree, target: string, stat: TreeStat, path: string): string {
  if (tree.look(target)?.in === "below") {
    tree.bringUpDirectory(parentOf(target));
    tree.bringUp(target, { path: target, in: "below", stat });
    makeLink(tree, target, path);
    return target;
  }
  tree.bringUpDirectory(parentOf(path));
  const { below, upper } = tree;
  if (below !== undefined)
    upper.keepingTime(parentOf(path), () => upper.take(below, target, stat, path));
  return path;
}

function makeLink(tree: MergedTree, target: string, path: string): void {
  if (target === path) return;
  tree.bringUpDirectory(parentOf(path));
  if (tree.look(path)?.in === "upper") throw writtenTwice(path);
  tree.upper.keepingTime(parentOf(path), () => tree.upper.link(target, path));
}

/** Links the copies to the other names that the files have below. Rare, so it may take a walk. */
function bringOtherNames(tree: MergedTree, files: readonly CopiedFile[]): void {
  const shared = files.filter(({ stat }) => stat.nlink > 1n);
  const byInode = new Map(shared.map((file) => [file.stat.ino, file]));
  if (byInode.size === 0 || tree.below === undefined) return;
  for (const { path, ino } of filesBelow(tree, "")) {
    const file = byInode.get(ino);
    if (file !== undefined && tree.look(path)?.in === "below") makeLink(tree, file.copy, path);
  }
}

function* filesBelow(
  tree: MergedTree,
  directory: string,
): Generator<{ readonly path: string; readonly ino: bigint }> {
  if (tree.below === undefined) return;
  for (const name of tree.below.list(directory)) {
    const path = joinPath(directory, name);
    const stat = tree.below.look(path);
    if (stat?.isDirectory() === true) yield* filesBelow(tree, path);
    else if (stat !== undefined) yield { path, ino: stat.ino };
  }
}

function broken(path: string, target: string, why: string): TsimgError {
  const [from, to] = [path, target].map((name) => displayName(name as ByteString));
  return new TsimgError("ERR_LAYER_CORRUPT", `hard link '${from}' to '${to}': ${why}`, {
    hint: "the layer does not fit the layers below it: pull or build the image again",
  });
}
