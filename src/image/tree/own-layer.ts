import { entryComponents } from "../../layer/entry-path.ts";
import type { ByteString } from "../../layer/tar/byte-string.ts";
import { classifyName } from "../../layer/whiteout.ts";
import { type FileVersion, nodeAt, type TreeNode } from "./image-tree.ts";
import type { IndexEntry, LayerIndex } from "./layer-index.ts";

/** As many symlinks as the kernel follows in one path (path_resolution(7)). */
const MAX_SYMLINKS = 40;
const NOTHING = "" as ByteString;

const IMPLIED: FileVersion = {
  type: "dir",
  size: 0,
  target: NOTHING,
  linkTo: NOTHING,
  implied: true,
  fresh: false,
};

/** What a layer has of its own at a path. */
export class OwnNode {
  version = IMPLIED;
  readonly children = new Map<string, OwnNode>();
  /** A mark says that nothing of the layers below shows in it. */
  opaque = false;
  /** A whiteout takes away the directory below, this one is a new one. */
  remade = false;
}

interface Reached {
  /** Real. */
  readonly path: readonly string[];
  readonly node: OwnNode;
}

/**
 * One layer by itself: later entries in the place of earlier ones, whiteouts and opaque
 * marks set apart, symlinks followed, those of the layers below too.
 */
export class OwnLayer {
  readonly root = new OwnNode();
  private readonly whited: { readonly parent: OwnNode; readonly path: readonly string[] }[] = [];
  /** Directories by the name they were last reached under: archives keep to one for long. */
  private readonly reached = new Map<string, Reached>();
  private readonly below: TreeNode;
  private readonly entries: readonly Meaning[];
  private hides: Hidden | undefined;

  /** @param below the tree of the layers below */
  constructor(index: LayerIndex, below: TreeNode) {
    this.below = below;
    this.entries = index.flatMap((entry) => meaningOf(entry) ?? []);
    for (const entry of this.entries) this.place(entry);
  }

  /** Real paths that the layer says are gone from those below. */
  whiteouts(): readonly (readonly string[])[] {
    // What stands in the place of the directory that one was in says all that is to be said.
    const standing = this.whited.filter(
      ({ parent, path }) => this.at(path.slice(0, -1)) === parent,
    );
    return standing.map(({ path }) => path);
  }

  /** What the layer itself has at a real path. */
  at(path: readonly string[]): OwnNode | undefined {
    let at: OwnNode | undefined = this.root;
    for (const part of path) at = at?.children.get(part);
    return at;
  }

  private place({ directory, name, kind, entry }: Meaning): void {
    if (kind === "root") {
      this.root.version = versionOf(entry);
      return;
    }
    const { path, node: parent } = this.directory(directory);
    if (kind === "whiteout") this.whited.push({ parent, path: [...path, name] });
    if (kind === "opaque") parent.opaque = true;
    if (kind !== "plain") return;
    const standing = parent.children.get(name);
    if (entry.type === "dir" && standing?.version.type === "dir")
      standing.version = versionOf(entry);
    else {
      if (standing !== undefined || /link$/.test(entry.type)) this.reached.clear();
      const node = new OwnNode();
      node.version = entry.type === "link" ? this.linked(entry) : versionOf(entry);
      parent.children.set(name, node);
    }
  }

  /** A hard link is what it links to. */
  private linked(entry: IndexEntry): FileVersion {
    const components = entryComponents(entry.target);
    const last = components.pop() ?? "";
    const path = [...this.walk(components), last];
    const found = this.at(path)?.version ?? nodeAt(this.below, path)?.version;
    const version = found ?? { ...IMPLIED, type: "file", implied: false };
    return { ...version, linkTo: path.join("/") as ByteString };
  }

  /** The layer's own directory, as its path is written, made where it isn't there. */
  private directory(components: readonly string[]): Reached {
    const name = components.join("/");
    let reached = this.reached.get(name);
    if (reached === undefined) {
      const path = this.walk(components);
      reached = { path, node: this.reach(path) };
      this.reached.set(name, reached);
    }
    return reached;
  }

  /** As `directory`, of a real path. */
  private reach(path: readonly string[]): OwnNode {
    let at = this.root;
    for (const part of path) {
      let child = at.children.get(part);
      if (child === undefined) {
        child = new OwnNode();
        at.children.set(part, child);
      }
      at = child;
    }
    return at;
  }

  /** The real path of a directory. */
  private walk(components: readonly string[]): readonly string[] {
    const left = components.toReversed();
    let at: string[] = [];
    let links = 0;
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === "..") {
        at.pop();
        continue;
      }
      const next = [...at, part];
      const target = links < MAX_SYMLINKS ? this.symlinkAt(next) : undefined;
      if (target === undefined) {
        at = next;
        continue;
      }
      links += 1;
      if (target.startsWith("/")) at = [];
      left.push(...partsOf(target).toReversed());
    }
    return at;
  }

  private symlinkAt(path: readonly string[]): string | undefined {
    const own = this.at(path)?.version;
    if (own !== undefined) return own.type === "symlink" ? own.target : undefined;
    const below = nodeAt(this.below, path)?.version;
    if (below?.type !== "symlink") return undefined;
    // Rarely asked, and long to prepare.
    this.hides ??= new Hidden(this.entries);
    return this.hides.has(path) ? undefined : below.target;
  }
}

/** What a layer takes away from those below, by paths as they are written. */
class Hidden {
  private readonly paths = new Set<string>();
  private readonly directories = new Set<string>();

  constructor(entries: readonly Meaning[]) {
    for (const entry of entries) this.note(entry);
  }

  /** Whether a symlink below isn't followed, wherever in the archive that is said. */
  has(path: readonly string[]): boolean {
    if (this.paths.has(path.join("/"))) return true;
    return path.some((_, length) => this.directories.has(path.slice(0, length).join("/")));
  }

  private note({ directory, name, kind, entry }: Meaning): void {
    const path = [...directory, name].join("/");
    if (kind === "opaque") this.directories.add(directory.join("/"));
    else this.paths.add(path);
    if (kind === "whiteout" || (kind === "plain" && entry.type !== "dir"))
      this.directories.add(path);
  }
}

interface Meaning {
  readonly kind: "plain" | "whiteout" | "opaque" | "root";
  /** As written, free of `.` and empty parts. */
  readonly directory: readonly string[];
  /** What is hidden, for a whiteout. */
  readonly name: string;
  readonly entry: IndexEntry;
}

/** What an entry says; undefined for AUFS's leftovers. */
function meaningOf(entry: IndexEntry): Meaning | undefined {
  const directory = entryComponents(entry.path);
  if (directory.some((part) => part.startsWith(".wh..wh.") && part !== ".wh..wh..opq"))
    return undefined;
  const name = directory.pop();
  if (name === undefined) return { kind: "root", directory, name: "", entry };
  const said = classifyName(name);
  if (said.kind === "whiteout") return { kind: "whiteout", directory, name: said.name, entry };
  if (said.kind === "opaque") return { kind: "opaque", directory, name, entry };
  return { kind: "plain", directory, name, entry };
}

function versionOf({ type, size, target }: IndexEntry): FileVersion {
  if (type === "link") return IMPLIED;
  return { type, size, target, linkTo: NOTHING, implied: false, fresh: false };
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
