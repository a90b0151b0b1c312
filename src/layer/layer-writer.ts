import { linkSync, lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { errorCode, tolerating } from "../sys/errno.ts";
import { makeNode, S_IFIFO } from "../sys/file-node.ts";
import { entryError } from "./entry-error.ts";
import { entryComponents, UnsafeName } from "./entry-path.ts";
import { Directory, LayerTree } from "./layer-tree.ts";
import { setOwnerAndMode, setTime, setXattrs } from "./metadata.ts";
import { NewFile } from "./new-file.ts";
import { Pending } from "./pending.ts";
import type { LayerRemainder } from "./remainder.ts";
import { type ByteString, fsPath } from "./tar/byte-string.ts";
import type { TarEntry, TarHandler } from "./tar/entry.ts";
import { TarFault } from "./tar/fault.ts";
import { classifyName } from "./whiteout.ts";
import { Whiteouts } from "./whiteouts.ts";

const MAX_ID = 0xffff_fffe;
const THROUGH_FILE = "leads through something that is not a directory";
const LINK_THROUGH_FILE = "is a hard link through something that is not a directory";

/**
 * Writes one layer into an empty directory, in overlay form, in archive order.
 *
 * A whiteout hides what lower layers hold, never what this layer wrote, wherever it stands:
 * whiteouts are collected and made last. Directory metadata also comes last, since writing
 * into a directory moves its times. Of two entries with one name the later wins.
 *
 * The working directory is the layer's root, and the umask is 0.
 *
 * @throws UnsafeName, TarFault for what breaks a rule; ErrnoError for a failed write
 * @see OCI image-spec 1.1, layer.md, "Applying Changesets" and "Whiteouts"
 */
export class LayerWriter implements TarHandler {
  /** File sizes as the archive states them. */
  bytes = 0;
  entries = 0;
  private readonly tree = new LayerTree((directory) => this.makeDirectory(directory));
  private readonly pending = new Pending();
  private readonly whiteouts = new Whiteouts(this.tree, this.pending);
  private file: NewFile | undefined;

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
    const { file } = this;
    this.file = undefined;
    file?.finish((name, value) => this.pending.addXattr(file.path, name, value));
  }

  /** Makes whiteouts, then describes the directories. Answers what is left to others. */
  finish(): LayerRemainder {
    const whiteouts = this.whiteouts.make();
    const directories = [...this.tree.directories()];
    for (const directory of directories) this.describe(directory);
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
        this.replacing(path, () => symlinkSync(fsPath(entry.linkPath), fsPath(path)));
        this.tree.addSymlink(directory, name, entry.linkPath);
        return this.describeSpecial(entry, path);
      case "fifo":
        this.replacing(path, () => makeNode(fsPath(path), S_IFIFO | entry.mode, 0));
        return this.describeSpecial(entry, path);
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
    this.file = this.replacing(path, () => new NewFile(path, entry));
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
      this.replacing(path, () => linkSync(fsPath(target), fsPath(path)));
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
      lstatSync(fsPath(path));
      return true;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      if (errorCode(error) !== "ENOTDIR") throw error;
      throw new TarFault(LINK_THROUGH_FILE);
    }
  }

  /** What isn't a file is described by its path. */
  private describeSpecial(entry: TarEntry, path: ByteString): void {
    setOwnerAndMode(fsPath(path), entry);
    if (entry.xattrs.size > 0) this.setXattrs(path, entry);
    setTime(fsPath(path), entry.mtime);
  }

  private describe(directory: Directory): void {
    const path = directory.path === "" ? "." : fsPath(directory.path as ByteString);
    if (directory.entry === undefined) return setTime(path, EPOCH);
    setOwnerAndMode(path, directory.entry);
    if (directory.entry.xattrs.size > 0)
      this.setXattrs((directory.path || ".") as ByteString, directory.entry);
    setTime(path, directory.entry.mtime);
  }

  private setXattrs(path: ByteString, entry: TarEntry): void {
    setXattrs(fsPath(path), entry, (name, value) => this.pending.addXattr(path, name, value));
  }

  private makeDirectory(directory: Directory): void {
    if (this.pending.has(directory.path as ByteString)) throw new TarFault(THROUGH_FILE);
    mkdirSync(fsPath(directory.path as ByteString), 0o755);
  }

  /** What stood in this place is another entry's now. */
  private forget(parent: Directory, name: string): void {
    this.tree.forget(parent, name);
    this.pending.forget(parent.childPath(name));
  }

  private dropExisting(path: ByteString): void {
    const standing = tolerating(["ENOENT"], () => lstatSync(fsPath(path)));
    if (standing === undefined) return;
    if (standing.isDirectory()) this.pending.forgetBelow(path);
    rmSync(fsPath(path), { recursive: true });
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
