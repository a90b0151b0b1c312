import type { ByteString } from "../../layer/tar/byte-string.ts";
import type { TarEntryType } from "../../layer/tar/entry.ts";

/** What a layer has at a path. */
export interface FileVersion {
  /** A hard link is what it is a link to. */
  readonly type: Exclude<TarEntryType, "link">;
  /** Bytes of a file. */
  readonly size: number;
  /** Of a symlink. */
  readonly target: ByteString;
  /** Of a hard link: the name that it was made from. */
  readonly linkTo: ByteString;
  /** A directory that no entry describes: what is in it tells of it. */
  readonly implied: boolean;
  /** A directory in which nothing of the layers below shows. */
  readonly fresh: boolean;
}

/** What a layer did to a path; layers count from 1, the base. */
export type TreeEvent =
  | { readonly what: "version"; readonly layer: number; readonly version: FileVersion }
  | { readonly what: "removal"; readonly layer: number; readonly removal: Removal };

export interface Removal {
  /** A whiteout, an opaque mark, or something else that took the place of a directory. */
  readonly how: "whiteout" | "opaque" | "replaced";
  /** What was whited out, marked or replaced: the path itself, or a directory above it. */
  readonly at: ByteString;
}

/** A path of the image, also one that is no longer there. */
export class TreeNode {
  readonly children = new Map<string, TreeNode>();
  /** In the order of the layers: one a layer at most. */
  readonly events: TreeEvent[] = [];

  /** What shows. */
  get version(): FileVersion | undefined {
    const last = this.events.at(-1);
    return last?.what === "version" ? last.version : undefined;
  }

  child(name: string): TreeNode {
    let child = this.children.get(name);
    if (child === undefined) {
      child = new TreeNode();
      this.children.set(name, child);
    }
    return child;
  }
}

/** Files, devices and symlinks; directories don't count. */
export interface LayerChanges {
  readonly added: number;
  readonly replaced: number;
  readonly deleted: number;
}

/**
 * An image as its layers make it, with what each of them did to each path: what a driver
 * shows once they are unpacked, but known from the archives alone.
 *
 * `begin` a layer, tell what it does, `end` it; in that order, from the base up.
 */
export class ImageTree {
  readonly root = new TreeNode();
  private layer = 0;
  /** What the current layer has touched, and what was there before. */
  private touched = new Map<TreeNode, FileVersion | undefined>();

  begin(): void {
    this.layer += 1;
    this.touched = new Map();
  }

  end(): LayerChanges {
    const counts = { added: 0, replaced: 0, deleted: 0 };
    for (const [node, before] of this.touched) {
      const [was, is] = [isFile(before), isFile(node.version)];
      if (is) counts[was ? "replaced" : "added"] += 1;
      else if (was) counts.deleted += 1;
    }
    return counts;
  }

  set(node: TreeNode, version: FileVersion): void {
    this.record(node, { what: "version", layer: this.layer, version });
  }

  /** Takes away what shows at `node` and below it. */
  remove(node: TreeNode, removal: Removal): void {
    if (node.version !== undefined)
      this.record(node, { what: "removal", layer: this.layer, removal });
    this.empty(node, removal);
  }

  /** Takes away what shows below `node`. */
  empty(node: TreeNode, removal: Removal): void {
    for (const child of node.children.values()) this.remove(child, removal);
  }

  private record(node: TreeNode, event: TreeEvent): void {
    if (!this.touched.has(node)) this.touched.set(node, node.version);
    if (node.events.at(-1)?.layer === this.layer) node.events.pop();
    node.events.push(event);
  }
}

/** What is at a real path, as far as a layer ever had anything there. */
export function nodeAt(root: TreeNode, path: readonly string[]): TreeNode | undefined {
  let at: TreeNode | undefined = root;
  for (const part of path) at = at?.children.get(part);
  return at;
}

function isFile(version: FileVersion | undefined): boolean {
  return version !== undefined && version.type !== "dir";
}
