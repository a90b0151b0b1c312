import type { Change } from "../../fixtures/layers/change.ts";
import type { TarEntry } from "../../src/layer/tar/entry.ts";
import { contentLine } from "./content-line.ts";

/** What an entry says of owner, mode, time and attributes. */
export interface ModelMeta {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly xattrs: ReadonlyMap<string, string>;
}

/** Everything that isn't a directory. Names that are hard links share one. */
export interface ModelInode {
  readonly kind: "inode";
  readonly type: Exclude<TarEntry["type"], "dir" | "link">;
  readonly meta: ModelMeta;
  readonly content: string;
  readonly target: string;
  readonly device: readonly [number, number];
}

export interface ModelDirectory {
  readonly kind: "dir";
  /** Absent while only the paths of other entries tell of the directory. */
  meta: ModelMeta | undefined;
  readonly children: Map<string, ModelNode>;
  opaque: boolean;
  /** Taken away from the layers below and made again: nothing of the old one stays. */
  remade: boolean;
}

export type ModelNode = ModelInode | ModelDirectory;

/** The layer breaks a rule, or doesn't fit what is below it. */
export class Refused extends Error {}

/** Too twisted for tsimg to promise anything but that nothing gets out of the root. */
export class Unsettled extends Error {}

const IMPLIED: ModelMeta = { mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() };
const OPAQUE = ".wh..wh..opq";

/** A hard link to nothing: no harm when a later entry replaces it. */
const BROKEN: ModelInode = {
  kind: "inode",
  type: "file",
  meta: IMPLIED,
  content: "",
  target: "",
  device: [0, 0],
};

export function emptyTree(): ModelDirectory {
  return { kind: "dir", meta: undefined, children: new Map(), opaque: false, remade: false };
}

/**
 * What a layer makes of the tree below it, told as plainly as possible: first the layer
 * becomes a tree of its own, later entries replacing earlier ones; then whiteouts and opaque
 * marks take away from below; then the one is laid over the other.
 *
 * @param below the tree of the layers below, not changed; undefined for a base layer
 * @throws Refused
 */
export function applyLayer(
  below: ModelDirectory | undefined,
  changes: readonly Change[],
): ModelDirectory {
  return new LayerModel(below).apply(changes);
}

class LayerModel {
  private readonly own = emptyTree();
  private readonly below: ModelDirectory | undefined;
  private readonly whiteouts: { directory: ModelDirectory; name: string; path: string }[] = [];

  private readonly hidden = new Set<string>();
  private readonly hiddenBelow: string[] = [];
  private followsBelow = false;

  constructor(below: ModelDirectory | undefined) {
    this.below = below;
  }

  apply(changes: readonly Change[]): ModelDirectory {
    for (const { entry } of changes) this.noteHidden(entry);
    this.placeAll(changes);
    const linking = changes.some(({ entry }) => /link/.test(entry.type));
    if (this.followsBelow && linking) throw new Unsettled("links, and symlinks below followed");
    const result = this.below === undefined ? emptyTree() : copy(this.below);
    for (const { directory, name, path } of this.whiteouts) {
      const kept = directory.children.get(name);
      if (kept?.kind === "dir") kept.remade = true;
      if (this.directoryAt(path) === directory) removeAt(result, [...split(path), name]);
    }
    if (changes.some(({ entry }) => entry.type === "symlink") && has(this.own, BROKEN))
      throw new Unsettled("a hard link that may find its target through a later symlink");
    return overlay(result, this.own, this.below === undefined);
  }

  private placeAll(changes: readonly Change[]): void {
    try {
      for (const change of changes) this.place(change);
    } catch (error) {
      if (!(error instanceof Refused) || !this.followsBelow) throw error;
      throw new Unsettled(`after a symlink below was followed: ${error.message}`);
    }
  }

  /** Symlinks below that the layer takes away or replaces are not followed, wherever it says so. */
  private noteHidden({ type, path }: TarEntry): void {
    const directory = split(path);
    const name = directory.pop() ?? "";
    const hides = [...directory, name.replace(/^\.wh\./, "")].join("/");
    if (name === OPAQUE) this.hiddenBelow.push(directory.join("/"));
    else this.hidden.add(hides);
    if (name !== OPAQUE && (name.startsWith(".wh.") || type !== "dir"))
      this.hiddenBelow.push(hides);
  }

  private isHidden(path: readonly string[]): boolean {
    const text = path.join("/");
    const isBelow = (at: string) => at === "" || text.startsWith(`${at}/`);
    return this.hidden.has(text) || this.hiddenBelow.some(isBelow);
  }

  private place({ entry, content }: Change): void {
    const components = split(entry.path);
    if (components.includes("..")) throw new Refused("climbs");
    if (components.some((part) => part.startsWith(".wh..wh.") && part !== OPAQUE)) return;
    const name = components.pop();
    if (name === undefined) {
      this.own.meta = metaOf(entry);
      return;
    }
    const { directory, path } = this.reach(components);
    if (name === OPAQUE) directory.opaque = true;
    else if (name.startsWith(".wh."))
      this.whiteouts.push({ directory, name: name.slice(4), path: path.join("/") });
    else this.write(entry, contentLine(content), directory, path, name);
  }

  private write(
    entry: TarEntry,
    content: string,
    directory: ModelDirectory,
    path: readonly string[],
    name: string,
  ): void {
    if (entry.type === "dir") {
      const known = directory.children.get(name);
      if (known?.kind === "dir") known.meta = metaOf(entry);
      else directory.children.set(name, { ...emptyTree(), meta: metaOf(entry) });
    } else if (entry.type === "link") {
      this.writeLink(entry, directory, path, name);
    } else {
      directory.children.set(name, {
        kind: "inode",
        type: entry.type,
        meta: metaOf(entry),
        content,
        target: entry.linkPath,
        device: [entry.devMajor, entry.devMinor],
      });
    }
  }

  private writeLink(
    entry: TarEntry,
    directory: ModelDirectory,
    path: readonly string[],
    name: string,
  ): void {
    const components = split(entry.linkPath);
    const last = components.pop();
    if (last === undefined) throw new Refused("links to the root");
    const parent = this.walk(components);
    const target = [...parent, last];
    const itself = target.join("/") === [...path, name].join("/");
    if (!itself && `${target.join("/")}/`.startsWith(`${[...path, name].join("/")}/`))
      throw new Refused("links to what it replaces");
    if (lookup(this.own, target)?.kind === "dir") throw new Refused("links to a directory");
    if (this.isThroughFile(target)) throw new Refused("links through a file");
    const node = this.nodeAt(target);
    directory.children.set(name, node?.kind === "inode" ? node : BROKEN);
  }

  private isThroughFile(path: readonly string[]): boolean {
    return path.some((_, length) => lookup(this.own, path.slice(0, length))?.kind === "inode");
  }

  /** The layer's own directory at a path, made where it isn't there. */
  private reach(components: readonly string[]): {
    readonly directory: ModelDirectory;
    readonly path: readonly string[];
  } {
    const path = this.walk(components);
    let at = this.own;
    for (const part of path) {
      let child = at.children.get(part);
      if (child === undefined) {
        child = emptyTree();
        at.children.set(part, child);
      }
      if (child.kind !== "dir") throw new Refused("leads through no directory");
      at = child;
    }
    return { directory: at, path };
  }

  /** The real path, with the symlinks of this layer and of those below followed. */
  private walk(components: readonly string[]): readonly string[] {
    const left = components.toReversed();
    let at: string[] = [];
    const followed = new Set<"own" | "below">();
    for (let part = left.pop(), hops = 0; part !== undefined; part = left.pop()) {
      if (part === "..") {
        if (followed.size === 2) throw new Unsettled("climbs from where a symlink below led");
        if (at.length === 0 && followed.has("own")) throw new Refused("climbs above the root");
        at.pop();
        continue;
      }
      const next = [...at, part];
      const isOwn = lookup(this.own, next) !== undefined;
      const node = isOwn || !this.isHidden(next) ? this.nodeAt(next) : undefined;
      if (node?.kind !== "inode" || node.type !== "symlink") {
        at = next;
        continue;
      }
      if (++hops > 40) throw new Refused("symlinks in a circle");
      followed.add(isOwn ? "own" : "below");
      this.followsBelow ||= !isOwn;
      if (node.target.startsWith("/")) at = [];
      left.push(...split(node.target).toReversed());
    }
    return at;
  }

  /** What is at a real path, in this layer or else below it. */
  private nodeAt(path: readonly string[]): ModelNode | undefined {
    if (this.isThroughFile(path)) return undefined;
    const own = lookup(this.own, path);
    return own ?? (this.below === undefined ? undefined : lookup(this.below, path));
  }

  private directoryAt(path: string): ModelNode | undefined {
    return path === "" ? this.own : lookup(this.own, split(path));
  }
}

/** Lays `own` over `below`, which becomes the result. */
function overlay(below: ModelDirectory, own: ModelDirectory, base: boolean): ModelDirectory {
  if (own.meta !== undefined || base || own.remade) below.meta = own.meta ?? IMPLIED;
  if (own.opaque || own.remade) below.children.clear();
  for (const [name, child] of own.children) {
    const under = below.children.get(name);
    if (child === BROKEN) throw new Refused("links to no file");
    if (child.kind === "inode") below.children.set(name, child);
    else if (under?.kind === "dir") overlay(under, child, false);
    else if (child.meta !== undefined || child.opaque || !isPhantom(child)) {
      if (under !== undefined && child.meta === undefined && !child.remade)
        throw new Refused("is used as a directory but is none");
      below.children.set(name, overlay(emptyTree(), child, true));
    }
  }
  return below;
}

/** Only whiteouts were told to be in it: where there is nothing below, it leaves no trace. */
function isPhantom(directory: ModelDirectory): boolean {
  if (directory.meta !== undefined || directory.opaque) return false;
  return [...directory.children.values()].every(
    (child) => child.kind === "dir" && isPhantom(child),
  );
}

function has(directory: ModelDirectory, wanted: ModelInode): boolean {
  return [...directory.children.values()].some((child) =>
    child.kind === "dir" ? has(child, wanted) : child === wanted,
  );
}

function removeAt(tree: ModelDirectory, path: readonly string[]): void {
  const parent = path.length === 1 ? tree : lookup(tree, path.slice(0, -1));
  if (parent?.kind === "dir") parent.children.delete(path.at(-1) ?? "");
}

export function lookup(tree: ModelDirectory, path: readonly string[]): ModelNode | undefined {
  let at: ModelNode | undefined = tree;
  for (const part of path) at = at?.kind === "dir" ? at.children.get(part) : undefined;
  return at;
}

/** Directories anew, inodes shared: a layer replaces them, it never changes one. */
function copy(directory: ModelDirectory): ModelDirectory {
  const children = new Map<string, ModelNode>();
  for (const [name, child] of directory.children)
    children.set(name, child.kind === "dir" ? copy(child) : child);
  return { ...emptyTree(), meta: directory.meta, children };
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function metaOf(entry: TarEntry): ModelMeta {
  const kept = [...entry.xattrs].filter(([name]) => !/^(trusted|user)\.overlay\./.test(name));
  return {
    mode: entry.type === "symlink" ? 0o777 : entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: BigInt(entry.mtime.seconds) * 1_000_000_000n + BigInt(entry.mtime.nanoseconds),
    xattrs: new Map(kept.map(([name, value]) => [name, value.toString("hex")])),
  };
}
