import type { ByteString } from "../../layer/tar/byte-string.ts";
import { type ImageTree, type LayerChanges, nodeAt, type TreeNode } from "./image-tree.ts";
import type { LayerIndex } from "./layer-index.ts";
import { OwnLayer, type OwnNode } from "./own-layer.ts";

/**
 * Puts a layer on top of a tree: first its whiteouts take away from what is below, wherever
 * they stand in the archive, then what it has of its own is laid over the rest.
 *
 * @see OCI image-spec 1.1, layer.md, "Applying Changesets" and "Whiteouts"
 */
export function applyLayer(tree: ImageTree, index: LayerIndex): LayerChanges {
  const own = new OwnLayer(index, tree.root);
  tree.begin();
  for (const path of own.whiteouts()) {
    const node = nodeAt(tree.root, path);
    if (node !== undefined) tree.remove(node, { how: "whiteout", at: nameOf(path) });
    const again = own.at(path);
    if (again !== undefined) again.remade = true;
  }
  layOver(tree, tree.root, own.root, []);
  return tree.end();
}

function layOver(tree: ImageTree, node: TreeNode, own: OwnNode, path: readonly string[]): void {
  if (own.opaque) tree.empty(node, { how: "opaque", at: nameOf(path) });
  const fresh = own.opaque || own.remade;
  if (fresh || !own.version.implied || node.version === undefined)
    tree.set(node, { ...own.version, fresh });
  for (const [name, child] of own.children) {
    const standing = node.children.get(name);
    const isDirectory = standing?.version?.type === "dir";
    if (child.version.type !== "dir") {
      const at = [...path, name];
      if (isDirectory) tree.empty(standing, { how: "replaced", at: nameOf(at) });
      tree.set(node.child(name), child.version);
    } else if (isDirectory || !isPhantom(child)) {
      layOver(tree, node.child(name), child, [...path, name]);
    }
  }
}

/** Only whiteouts were said to be in it: where nothing is below, it leaves no trace. */
function isPhantom(own: OwnNode): boolean {
  return own.version.implied && !own.opaque && [...own.children.values()].every(isPhantom);
}

function nameOf(path: readonly string[]): ByteString {
  return path.join("/") as ByteString;
}
