import type { LayerRemainder } from "../remainder.ts";
import { type MergedTree, unsafe, writtenTwice } from "./merged-tree.ts";
import { isWhiteout, joinPath, parentOf } from "./tree-path.ts";

interface Move {
  readonly from: string;
  readonly to: string;
}

/**
 * The directories that no entry describes: each takes after the parent's, and where the
 * parent has a symlink, what was written goes where that leads.
 */
export class ImpliedDirectories {
  private readonly tree: MergedTree;
  private readonly implied: ReadonlySet<string>;
  private readonly opaque: Set<string>;
  /** Described after all, by an entry that came through a symlink or beside one. */
  private readonly described = new Set<string>();
  private readonly made: string[] = [];
  /** Of those, the ones that took the place of a whiteout. */
  private readonly uncovered = new Set<string>();
  private readonly moved = new Set<string>();
  private readonly moves: Move[] = [];

  constructor(tree: MergedTree, remainder: LayerRemainder) {
    this.tree = tree;
    this.implied = new Set(remainder.implied);
    this.opaque = new Set(remainder.opaque);
  }

  /** Where something of the layer is after directories were moved. */
  place(path: string): string {
    let at = path;
    for (const { from, to } of this.moves) {
      if (at === from) at = to;
      else if (at.startsWith(`${from}/`)) at = joinPath(to, at.slice(from.length + 1));
    }
    return at;
  }

  /** Directories that hide what is below them, where they are now. */
  hiding(): readonly string[] {
    return [...new Set([...this.opaque].map((path) => this.place(path)))];
  }

  stitch(): void {
    for (const path of this.implied) this.stitchOne(path);
  }

  /**
   * Removes the directories that only whiteouts of nothing implied.
   * @throws TsimgError ERR_LAYER_UNSAFE for one that would hide a file of the parent
   */
  prune(): void {
    const { tree } = this;
    const kept = new Set(this.hiding());
    const stayed = [...this.implied].filter((path) => !this.moved.has(path));
    const places = [...stayed, ...this.made].map((path) => this.place(path));
    // In this order what is in a directory comes before it.
    for (const path of places.toSorted().toReversed()) {
      if (this.described.has(path)) continue;
      const below = tree.lookBelow(path);
      if (below?.isDirectory() === true || tree.upper.look(path)?.isDirectory() !== true) continue;
      const gone = (!kept.has(path) || this.uncovered.has(path)) && this.removeEmpty(path);
      if (gone) this.coverAgain(path);
      if (!gone && below !== undefined) throw unsafe(path, "is used as a directory but is none");
    }
  }

  /** Nothing came to a directory for which a whiteout had made room. */
  private coverAgain(path: string): void {
    const { upper, below } = this.tree;
    if (!this.uncovered.has(path)) return;
    this.opaque.delete(path);
    if (below?.look(path) === undefined) return;
    upper.keepingTime(parentOf(path), () => upper.makeWhiteout(path));
  }

  private removeEmpty(path: string): boolean {
    const { upper } = this.tree;
    return upper.keepingTime(parentOf(path), () => upper.removeDirectory(path));
  }

  private stitchOne(name: string): void {
    const { tree } = this;
    const path = this.place(name);
    const stat = tree.lookBelow(path);
    if (stat === undefined || tree.below === undefined || this.described.has(path)) return;
    if (stat.isDirectory()) tree.upper.takeMetadata(tree.below, path, stat, path);
    else if (stat.isSymbolicLink()) this.moveAlong(name, path);
  }

  /** The layer's directory hides the symlink that should have led elsewhere: out of the way. */
  private moveAlong(name: string, path: string): void {
    const { tree } = this;
    const parent = parentOf(path);
    const aside = this.freeName(parent);
    tree.upper.keepingTime(parent, () => tree.upper.rename(path, aside));
    const target = tree.resolve(path, true);
    if (target === path || target.startsWith(`${path}/`))
      throw unsafe(path, "is a symlink to itself");
    this.makeDirectories(target);
    this.merge(aside, target, name);
    tree.upper.keepingTime(parent, () => tree.upper.removeDirectory(aside));
    this.moves.push({ from: path, to: target });
    this.moved.add(name);
    for (const directory of this.hiding()) tree.hideBelow(directory);
  }

  /** Not made from what it is for, whose name may have all the bytes that a name can have. */
  private freeName(directory: string): string {
    for (let number = 0; ; number++) {
      const name = joinPath(directory, `.tsimg-moving-${number}`);
      if (this.tree.upper.look(name) === undefined) return name;
    }
  }

  /** As `bringUpDirectory`, but what is nowhere yet is made new. */
  private makeDirectories(path: string): void {
    const { tree } = this;
    if (path === "" || tree.look(path) !== undefined) return tree.bringUpDirectory(path);
    this.makeDirectories(parentOf(path));
    const whiteout = tree.upper.look(path);
    tree.upper.keepingTime(parentOf(path), () => {
      if (whiteout !== undefined) tree.upper.unlink(path);
      tree.upper.makeDirectory(path);
    });
    if (whiteout !== undefined) {
      this.hide(path);
      this.uncovered.add(path);
    }
    this.made.push(path);
  }

  /**
   * Moves what is in one directory of the layer into another.
   * @param name what the archive calls the directory `from`
   */
  private merge(from: string, to: string, name: string): void {
    const { upper } = this.tree;
    for (const child of upper.list(from))
      upper.keepingTime(to, () =>
        this.mergeOne(joinPath(from, child), joinPath(to, child), joinPath(name, child)),
      );
  }

  private mergeOne(from: string, to: string, name: string): void {
    const { upper } = this.tree;
    const coming = upper.look(from);
    const standing = upper.look(to);
    if (coming === undefined) return;
    if (standing === undefined) return upper.rename(from, to);
    if (isWhiteout(coming)) {
      // It hides what is below, not what this layer wrote.
      if (standing.isDirectory()) this.hide(to);
      return upper.unlink(from);
    }
    if (isWhiteout(standing)) {
      upper.unlink(to);
      upper.rename(from, to);
      if (coming.isDirectory()) this.hide(to);
    } else if (standing.isDirectory() && coming.isDirectory()) {
      this.merge(from, to, name);
      if (!this.implied.has(name)) {
        upper.copyMetadata(from, to);
        this.described.add(to);
      } else if (!this.implied.has(to)) this.described.add(to);
      upper.removeDirectory(from);
    } else throw writtenTwice(to);
  }

  private hide(path: string): void {
    this.opaque.add(path);
    this.tree.hideBelow(path);
  }
}
