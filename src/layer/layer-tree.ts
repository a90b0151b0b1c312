import { UnsafeName } from "./entry-path.ts";
import type { ByteString } from "./tar/byte-string.ts";
import type { TarEntry } from "./tar/entry.ts";

/** As many symlinks as the kernel follows in one path (path_resolution(7)). */
const MAX_SYMLINKS = 40;

/** A directory that the layer has written to, with what matters for finding one's way. */
export class Directory {
  readonly path: string;
  readonly parent: Directory | undefined;
  /** Directories, and symlinks by their target; files are of no interest here. */
  readonly children = new Map<string, Directory | string>();
  /** The entry that describes it; none when other entries' paths only imply it. */
  entry: TarEntry | undefined;
  /** A marker says that nothing of the lower layers shows in it. */
  opaque = false;
  /** A whiteout takes the lower layers' directory away, this one is a new one. */
  remade = false;

  constructor(path: string, parent: Directory | undefined) {
    this.path = path;
    this.parent = parent;
  }

  get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** Path of something in this directory, relative to the layer's root. */
  childPath(name: string): ByteString {
    return (this.path === "" ? name : `${this.path}/${name}`) as ByteString;
  }
}

/**
 * What one layer has made so far: enough to resolve every path here, symlinks included, so
 * that the file system is only ever asked about paths without any symlink in them.
 */
export class LayerTree {
  readonly root = new Directory("", undefined);
  /** Directories by the name they were last reached under: archives keep to one for long. */
  private readonly reached = new Map<string, Directory>();
  private readonly makeDirectory: (directory: Directory) => void;

  /** @param makeDirectory makes an implied directory on the disk */
  constructor(makeDirectory: (directory: Directory) => void) {
    this.makeDirectory = makeDirectory;
  }

  /**
   * The directory that `components` lead to, symlinks followed inside the root; made where
   * nothing is there yet.
   * @throws UnsafeName when a symlink leads above the root, or in circles
   */
  directory(components: readonly string[]): Directory {
    if (components.length === 0) return this.root;
    const name = components.join("/");
    const known = this.reached.get(name);
    if (known !== undefined) return known;
    const found = this.walk(components, (parent, part) => this.add(parent, part));
    // `walk` stops early only where `missing` answers nothing, which `add` never does.
    const directory = found ?? this.root;
    this.reached.set(name, directory);
    return directory;
  }

  /** As `directory`, but undefined where this layer has no such directory. */
  existing(components: readonly string[]): Directory | undefined {
    return this.walk(components, () => undefined);
  }

  /** Adds a directory that is on the disk or about to be. */
  add(parent: Directory, name: string): Directory {
    const directory = new Directory(parent.childPath(name), parent);
    this.makeDirectory(directory);
    parent.children.set(name, directory);
    return directory;
  }

  addSymlink(parent: Directory, name: string, target: string): void {
    parent.children.set(name, target);
  }

  /** Whether nothing else has taken the place of a directory or of one above it. */
  holds(directory: Directory): boolean {
    for (let at = directory; at.parent !== undefined; at = at.parent)
      if (at.parent.children.get(at.name) !== at) return false;
    return true;
  }

  /** Something else has taken the place of what was there. */
  forget(parent: Directory, name: string): void {
    if (parent.children.delete(name)) this.reached.clear();
  }

  /** Every directory, parents before their children. */
  *directories(from: Directory = this.root): Generator<Directory> {
    yield from;
    for (const child of from.children.values())
      if (child instanceof Directory) yield* this.directories(child);
  }

  private walk(
    components: readonly string[],
    missing: (parent: Directory, name: string) => Directory | undefined,
  ): Directory | undefined {
    const left = components.toReversed();
    let at: Directory = this.root;
    let links = 0;
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (at.parent === undefined) throw new UnsafeName("leads through a symlink above the root");
        at = at.parent;
        continue;
      }
      const child = at.children.get(part) ?? missing(at, part);
      if (child === undefined) return undefined;
      if (typeof child !== "string") {
        at = child;
        continue;
      }
      if (++links > MAX_SYMLINKS) throw new UnsafeName("leads through symlinks in a circle");
      if (child.startsWith("/")) at = this.root;
      left.push(...child.split("/").toReversed());
    }
    return at;
  }
}
