import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { copyError, shownPath } from "./copy-error.ts";
import { isMadeByKernel } from "./kernel-file-systems.ts";
import { identityOfFile, lookAt, namesIn, type SourceNode } from "./source-node.ts";

/**
 * Takes what a walk meets. `Directory` is what the visitor knows a directory of its own by.
 * `path` is the node's, from the start of the walk, for messages and archives.
 */
export interface TreeVisitor<Directory> {
  enter(node: SourceNode, parent: Directory, name: Buffer, path: Buffer): Directory;
  /** After all that is in the directory. */
  leave(node: SourceNode, directory: Directory, path: Buffer): void;
  /** Anything but a directory. */
  leaf(node: SourceNode, parent: Directory, name: Buffer, path: Buffer): void;
  /** What is in a directory is left out. */
  skipped(path: Buffer): void;
}

/** Deeper than any tree that somebody made on purpose: each level holds descriptors open. */
const MAX_DEPTH = 1000;

/**
 * Walks a tree that others may be changing. Each directory is entered by its descriptor, so no
 * symlink or rename leads anywhere else; what has vanished since its name was read is passed
 * over. Mounts are entered, but for those of the kernel's own file systems.
 */
export class TreeWalk<Directory> {
  private readonly visitor: TreeVisitor<Directory>;
  private readonly refused: ReadonlySet<string>;

  /** @param refused directories, by `identityOfFile`, that must not be met: what is written to */
  constructor(visitor: TreeVisitor<Directory>, refused: ReadonlySet<string> = new Set()) {
    this.visitor = visitor;
    this.refused = refused;
  }

  /** @throws TsimgError naming the path that failed */
  walk(node: SourceNode, parent: Directory, name: Buffer): void {
    this.visit(node, parent, name, { path: name, depth: 0, device: undefined });
  }

  /** Only what is in the directory. */
  walkChildren(node: SourceNode, directory: Directory, path: Buffer): void {
    this.children(node, directory, { path, depth: 0, device: undefined });
  }

  private visit(node: SourceNode, parent: Directory, name: Buffer, place: Place): void {
    const { path } = place;
    try {
      if (!node.stats.isDirectory()) return this.visitor.leaf(node, parent, name, path);
      const directory = this.visitor.enter(node, parent, name, path);
      this.children(node, directory, place);
      this.visitor.leave(node, directory, path);
    } catch (error) {
      throw copyError(error, path);
    }
  }

  private children(node: SourceNode, directory: Directory, place: Place): void {
    const { path, depth } = place;
    const device = node.stats.dev;
    if (this.refused.has(identityOfFile(node.stats)))
      throw new TsimgError("ERR_USAGE", `cannot copy '${shownPath(path)}' into itself`);
    if (depth >= MAX_DEPTH)
      throw new TsimgError("ERR_STATE", `'${shownPath(path)}' is more than ${MAX_DEPTH} deep`);
    if (device !== place.device && isMadeByKernel(node.fd)) return this.visitor.skipped(path);
    for (const name of namesIn(node)) {
      using child = tolerating(["ENOENT"], () => lookAt(node.fd, name));
      if (child === undefined) continue;
      const below = { path: joined(path, name), depth: depth + 1, device };
      this.visit(child, directory, name, below);
    }
  }
}

interface Place {
  readonly path: Buffer;
  readonly depth: number;
  /** Of the directory above. */
  readonly device: bigint | undefined;
}

function joined(path: Buffer, name: Buffer): Buffer {
  return path.length === 0 ? name : Buffer.concat([path, Buffer.from("/"), name]);
}
