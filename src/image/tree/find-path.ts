import type { ByteString } from "../../layer/tar/byte-string.ts";
import type { TreeNode } from "./image-tree.ts";

/** As many symlinks as the kernel follows in one path (path_resolution(7)). */
const MAX_SYMLINKS = 40;

export interface FoundPath {
  /** Real: free of symlinks but for its last part, and without a slash in front. */
  readonly path: ByteString;
  readonly node: TreeNode;
}

/**
 * Where a path leads in an image: symlinks lead where they would in a container. What is no
 * longer there is found where it was.
 *
 * @param follow whether to go on where the path itself is a symlink
 * @returns undefined when no layer has anything there; "circle" when symlinks go in one
 */
export function findPath(
  root: TreeNode,
  path: ByteString,
  follow: boolean,
): FoundPath | "circle" | undefined {
  const left = partsOf(path).toReversed();
  const nodes: TreeNode[] = [root];
  const names: string[] = [];
  let links = 0;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (part === "..") {
      names.pop();
      if (nodes.length > 1) nodes.pop();
      continue;
    }
    const node = nodes.at(-1)?.children.get(part);
    if (node === undefined) return undefined;
    const { version } = node;
    if (version?.type !== "symlink" || (left.length === 0 && !follow && !path.endsWith("/"))) {
      nodes.push(node);
      names.push(part);
      continue;
    }
    if (++links > MAX_SYMLINKS) return "circle";
    if (version.target.startsWith("/")) {
      nodes.length = 1;
      names.length = 0;
    }
    left.push(...partsOf(version.target).toReversed());
  }
  return { path: names.join("/") as ByteString, node: nodes.at(-1) ?? root };
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
