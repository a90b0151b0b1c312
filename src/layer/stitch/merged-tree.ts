import { TsimgError } from "../../sys/error.ts";
import { type ByteString, displayName } from "../tar/byte-string.ts";
import { isWhiteout, joinPath, parentOf, type TreeRoot } from "./tree-path.ts";
import type { TreeStat, UpperTree } from "./upper-tree.ts";

const MAX_SYMLINKS = 40;

/** Something in the merged tree: `path` is real, free of symlinks up to its last component. */
export interface Found {
  readonly path: string;
  readonly in: "upper" | "below";
  readonly stat: TreeStat;
}

/**
 * The tree that a layer makes with its parent, seen as overlay will show it, while the layer
 * is still being put right. Symlinks lead where they would lead in a container.
 */
export class MergedTree {
  readonly upper: UpperTree;
  readonly below: TreeRoot | undefined;
  private readonly opaque: Set<string>;

  /**
   * @param opaque directories of the layer that hide what is below them
   * @param below  the parent's merged tree, read-only; undefined for a base layer
   */
  constructor(upper: UpperTree, below: TreeRoot | undefined, opaque: Iterable<string>) {
    this.upper = upper;
    this.below = below;
    this.opaque = new Set(opaque);
  }

  /** From now on the directory at `path` hides what is below it. */
  hideBelow(path: string): void {
    this.opaque.add(path);
  }

  /** What the parent has at `path`, unless an opaque directory hides it. */
  lookBelow(path: string): TreeStat | undefined {
    if (this.below === undefined || this.opaque.has("")) return undefined;
    for (let at = parentOf(path); at !== ""; at = parentOf(at))
      if (this.opaque.has(at)) return undefined;
    return this.below.look(path);
  }

  /** What shows at `path`. */
  look(path: string): Found | undefined {
    const upper = this.upper.look(path);
    if (upper !== undefined)
      return isWhiteout(upper) ? undefined : { path, in: "upper", stat: upper };
    // Something of this layer that is no directory hides all that is below it.
    for (let at = parentOf(path); at !== ""; at = parentOf(at)) {
      const ancestor = this.upper.look(at);
      if (ancestor !== undefined && !ancestor.isDirectory()) return undefined;
    }
    const stat = this.lookBelow(path);
    return stat === undefined ? undefined : { path, in: "below", stat };
  }

  /**
   * The real path of `path`, symlinks followed inside the root; the last component is
   * followed only with `followLast`. What isn't there yet counts as plain names.
   */
  resolve(path: string, followLast: boolean): string {
    const left = path.split("/").toReversed();
    let at = "";
    let links = 0;
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        at = parentOf(at);
        continue;
      }
      const next = joinPath(at, part);
      const found = left.length > 0 || followLast ? this.look(next) : undefined;
      if (found?.stat.isSymbolicLink() !== true) {
        at = next;
        continue;
      }
      if (++links > MAX_SYMLINKS) throw unsafe(path, "leads through symlinks in a circle");
      const target = this.linkTarget(found);
      if (target.startsWith("/")) at = "";
      left.push(...target.split("/").toReversed());
    }
    return at;
  }

  /** Makes sure that the layer itself has the directory at `path`, which is real. */
  bringUpDirectory(path: string): void {
    const upper = this.upper.look(path);
    if (upper?.isDirectory() === true) return;
    this.bringUpDirectory(parentOf(path));
    const found = this.look(path);
    if (found !== undefined && !found.stat.isDirectory())
      throw unsafe(path, "is used as a directory but is none");
    this.bringUp(path, found);
  }

  /** Copies one thing from the parent into the layer, where its directory already is. */
  bringUp(path: string, found: Found | undefined): void {
    if (found === undefined || this.below === undefined)
      throw unsafe(path, "is neither in the layer nor below it");
    const { below, upper } = this;
    upper.keepingTime(parentOf(path), () => upper.take(below, path, found.stat, path));
  }

  private linkTarget(found: Found): string {
    const root = found.in === "upper" ? this.upper : this.below;
    return root?.linkTarget(found.path) ?? "";
  }
}

export function unsafe(path: string, why: string): TsimgError {
  return new TsimgError("ERR_LAYER_UNSAFE", `'${displayName(path as ByteString)}' ${why}`, {
    hint: "the layer does not fit the layers below it: nothing of it was kept",
  });
}

/** Which of the two comes later can't be told any more. */
export function writtenTwice(path: string): TsimgError {
  return unsafe(path, "is written twice, once through a symlink of a lower layer");
}
