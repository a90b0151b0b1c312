import type { LayerTarget } from "./layer-target.ts";
import { Directory, type LayerTree } from "./layer-tree.ts";
import type { Pending } from "./pending.ts";
import type { ByteString } from "./tar/byte-string.ts";

/** A layer's whiteouts: collected while it is read, made when all else is there. */
export class Whiteouts {
  private readonly target: LayerTarget;
  private readonly tree: LayerTree;
  private readonly pending: Pending;
  private readonly collected = new Map<ByteString, { directory: Directory; name: string }>();

  constructor(target: LayerTarget, tree: LayerTree, pending: Pending) {
    this.target = target;
    this.tree = tree;
    this.pending = pending;
  }

  add(directory: Directory, name: string): void {
    this.collected.set(directory.childPath(name), { directory, name });
  }

  /** @returns those that there are now, to be compared with the parent later */
  make(): ByteString[] {
    const standing = [...this.collected.values()].filter(({ directory }) =>
      this.tree.holds(directory),
    );
    for (const { directory, name } of standing) {
      const child = directory.children.get(name);
      // The directory was removed, then made again: nothing of the old one may show.
      if (child instanceof Directory) child.remade = !this.removePhantom(child);
    }
    return standing
      .filter(({ directory, name }) => this.makeOne(directory, name))
      .map(({ directory, name }) => directory.childPath(name));
  }

  private makeOne(directory: Directory, name: string): boolean {
    const path = directory.childPath(name);
    if (directory.children.has(name) || this.pending.has(path)) return false;
    // Overlay lists a whiteout in an opaque directory as a name that can't be opened.
    for (let at: Directory | undefined = directory; at !== undefined; at = at.parent)
      if (at.opaque || at.remade) return false;
    return this.target.makeWhiteout(path);
  }

  /** Removes a directory that is there only because whiteouts were said to be in it. */
  private removePhantom(directory: Directory): boolean {
    const path = directory.path as ByteString;
    if (directory.entry !== undefined || directory.opaque || this.pending.hasBelow(path))
      return false;
    for (const child of directory.children.values())
      if (!(child instanceof Directory) || !this.removePhantom(child)) return false;
    const empty = this.target.removeDirectory(path);
    if (empty && directory.parent !== undefined) this.tree.forget(directory.parent, directory.name);
    return empty;
  }
}
