import { errorCode } from "../sys/errno.ts";
import { entryError } from "./entry-error.ts";
import { entryComponents, UnsafeName } from "./entry-path.ts";
import type { FileSink, LayerTarget } from "./layer-target.ts";
import { Directory, LayerTree } from "./layer-tree.ts";
import { Pending } from "./pending.ts";
import type { LayerRemainder } from "./remainder.ts";
import type { ByteString } from "./tar/byte-string.ts";
import type { TarEntry, TarHandler } from "./tar/entry.ts";
import { TarFault } from "./tar/fault.ts";
import { classifyName } from "./whiteout.ts";
import { Whiteouts } from "./whiteouts.ts";

const MAX_ID = 0xffff_fffe;
const THROUGH_FILE = "leads through something that is not a directory";
const LINK_THROUGH_FILE = "is a hard link through something that is not a directory";

/**
 * Writes one layer into an empty target, in overlay form, in archive order.
 *
 * A whiteout hides what lower layers hold, never what this layer wrote, wherever it stands:
 * whiteouts are collected and made last. Directory metadata also comes last, since writing
 * into a directory moves its times. Of two entries with one name the later wins.
 *
 * @throws UnsafeName, TarFault for what breaks a rule; ErrnoError for a failed write
 * @see OCI image-spec 1.1, layer.md, "Applying Changesets" and "Whiteouts"
 */
export class LayerWriter implements TarHandler {
  /** File sizes as the archive states them. */
  bytes = 0;
  entries = 0;
  private readonly target: LayerTarget;
  private readonly tree = new LayerTree((directory) => this.makeDirectory(directory));
  private readonly pending = new Pending();
  private readonly whiteouts: Whiteouts;
  private path = "" as ByteString;
  private file: FileSink | undefined;

  constructor(target: LayerTarget) {
    this.target = target;
    this.whiteouts = new Whiteouts(target, this.tree, this.pending);
  }

  entry(entry: TarEntry): void {
    this.entries += 1;
    try {
      this.place(entry);
    } catch (error) {
      throw entryError(error, entry.path);
    }
  }

  private place(entry: TarEntry): void {
    const components = entryComponents(entry.path);
    if (components.some((part) => part.startsWith(".wh..wh.") && part !== ".wh..wh..opq")) return;
    const name = components.pop();
    const inside = components.find((part) => part.startsWith(".wh."));
    if (inside !== undefined) throw new UnsafeName("has a whiteout as a directory");
    if (name === undefined) return this.describeRoot(entry);
    const kind = classifyName(name);
    if (kind.kind === "refused") throw new UnsafeName(`is ${kind.why}`);
    const directory = this.directory(components);
    if (kind.kind === "opaque") directory.opaque = true;
    else if (kind.kind === "whiteout") this.whiteouts.add(directory, kind.name);
    else if (kind.kind === "plain") this.write(entry, directory, name);
  }

  data(chunk: Buffer, position: number): void {
    this.file?.write(chunk, position);
  }

  entryEnd(): void {
    const { file, path } = this;
    this.file = undefined;
    file?.finish((name, value) => this.pending.addXattr(path, name, value));
  }

  /** Makes whiteouts, then describes the directories. Answers what is left to others. */
  finish(): LayerRemainder {
    const whiteouts = this.whiteouts.make();
    const directories = [...this.tree.directories()];
    for (const { path, entry } of directories) this.describe(path as ByteString, entry);
    const [root, ...below] = directories;
    const paths = (wanted: (directory: Directory) => boolean) =>
      below.filter(wanted).map((directory) => directory.path as ByteString);
    return {
      rootImplied: root?.entry === undefined,
      rootOpaque: root?.opaque === true,
      implied: paths((directory) => directory.entry === undefined && !directory.remade),
      opaque: paths((directory) => directory.opaque || directory.remade),
      whiteouts,
      ...this.pending.remainder(),
    };
  }

  private directory(components: readonly string[]): Directory {
    try {
      return this.tree.directory(components);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      throw new TarFault(THROUGH_FILE);
    }
  }

  private describeRoot(entry: TarEntry): void {
    if (entry.type !== "dir") throw new TarFault("the root is not a directory");
    checkOwner(entry);
    this.tree.root.entry = entry;
  }

  private write(entry: TarEntry, directory: Directory, name: string): void {
    checkOwner(entry);
    const path = directory.childPath(name);
    if (entry.type === "dir") return this.writeDirectory(entry, directory, name);
    if (entry.type === "link") return this.writeLink(entry, directory, name);
    this.forget(directory, name);
    switch (entry.type) {
      case "file":
        return this.openFile(entry, path);
      case "symlink":
        this.replacing(path, () => this.target.makeSymlink(path, entry.linkPath));
        this.tree.addSymlink(directory, name, entry.linkPath);
        return this.describe(path, entry);
      case "fifo":
        this.replacing(path, () => this.target.makeFifo(path, entry.mode));
        return this.describe(path, entry);
      default:
        if (entry.type === "char" && entry.devMajor === 0 && entry.devMinor === 0)
          throw new UnsafeName("is a character device 0:0, which would be a whiteout");
        this.dropExisting(path);
        this.pending.addDevice(path, entry);
    }
  }

  private writeDirectory(entry: TarEntry, parent: Directory, name: string): void {
    const known = parent.children.get(name);
    const path = parent.childPath(name);
    if (typeof known === "object") {
      known.entry = entry;
      return;
    }
    this.forget(parent, name);
    // A file or symlink of an earlier entry makes way; a directory would be known.
    this.replacing(path, () => {
      this.tree.add(parent, name).entry = entry;
    });
  }

  private openFile(entry: TarEntry, path: ByteString): void {
    this.bytes += entry.size;
    this.path = path;
    this.file = this.replacing(path, () => this.target.makeFile(path, entry));
  }

  private writeLink(entry: TarEntry, parent: Directory, name: string): void {
    const path = parent.childPath(name);
    const components = linkComponents(entry.linkPath);
    const last = components.pop();
    if (last === undefined) throw new UnsafeName("is a hard link to the root");
    const directory = this.tree.existing(components);
    const child = directory?.children.get(last);
    if (child instanceof Directory) throw new TarFault("is a hard link to a directory");
    const target = directory?.childPath(last) ?? ([...components, last].join("/") as ByteString);
    if (target === path && this.isHere(path)) return;
    if (target.startsWith(`${path}/`)) throw new TarFault("is a hard link to what it replaces");
    const here = this.isHere(target);
    this.forget(parent, name);
    if (here && !this.pending.has(target))
      this.replacing(path, () => this.target.link(target, path));
    else this.dropExisting(path);
    if (!here) return this.pending.addLink(path, target);
    this.pending.share(path, target);
    if (child !== undefined) this.tree.addSymlink(parent, name, child);
  }

  /** Whether this layer has something at a path, or is going to. */
  private isHere(path: ByteString): boolean {
    if (this.pending.has(path)) return true;
    if (this.pending.hasAbove(path)) throw new TarFault(LINK_THROUGH_FILE);
    try {
      return this.target.look(path) !== undefined;
    } catch (error) {
      if (errorCode(error) !== "ENOTDIR") throw error;
      throw new TarFault(LINK_THROUGH_FILE);
    }
  }

  private describe(path: ByteString, entry: TarEntry | undefined): void {
    try {
      if (entry === undefined) this.target.setTime(path, EPOCH);
      else
        this.target.describe(path, entry, (name, value) =>
          this.pending.addXattr(path === "" ? ROOT : path, name, value),
        );
    } catch (error) {
      throw entryError(error, path === "" ? ROOT : path);
    }
  }

  private makeDirectory(directory: Directory): void {
    const path = directory.path as ByteString;
    if (this.pending.has(path)) throw new TarFault(THROUGH_FILE);
    this.target.makeDirectory(path);
  }

  /** What stood in this place is another entry's now. */
  private forget(parent: Directory, name: string): void {
    this.tree.forget(parent, name);
    this.pending.forget(parent.childPath(name));
  }

  private dropExisting(path: ByteString): void {
    const standing = this.target.look(path);
    if (standing === undefined) return;
    if (standing === "directory") this.pending.forgetBelow(path);
    this.target.remove(path);
  }

  /** Runs `make`; when something stands in its place, that goes and `make` runs again. */
  private replacing<T>(path: ByteString, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      this.dropExisting(path);
      return make();
    }
  }
}

/** How the remainder calls the layer's root. */
const ROOT = "." as ByteString;
const EPOCH = { seconds: 0, nanoseconds: 0 };

function linkComponents(target: ByteString): string[] {
  try {
    return entryComponents(target);
  } catch (error) {
    if (error instanceof UnsafeName)
      throw new UnsafeName(`is a hard link whose target ${error.message}`);
    throw error;
  }
}

function checkOwner(entry: TarEntry): void {
  for (const [what, id] of [
    ["uid", entry.uid],
    ["gid", entry.gid],
  ] as const)
    if (id < 0 || id > MAX_ID) throw new TarFault(`${what} ${id} is not one that Linux has`);
}
