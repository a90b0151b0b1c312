import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { errorCode, tolerating } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { makeNode, S_IFCHR, S_IFIFO } from "../sys/file-node.ts";
import { entryComponents, UnsafeName } from "./entry-path.ts";
import { type Directory, LayerTree } from "./layer-tree.ts";
import { isPlainTime, setOwnerAndMode, setTime, setXattrs } from "./metadata.ts";
import type { LayerRemainder } from "./remainder.ts";
import { type ByteString, displayName, fsPath } from "./tar/byte-string.ts";
import type { TarEntry, TarHandler } from "./tar/entry.ts";
import { TarFault } from "./tar/fault.ts";
import { classifyName } from "./whiteout.ts";

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const MAX_ID = 0xffff_fffe;

interface OpenFile {
  readonly fd: number;
  readonly path: ByteString;
  readonly entry: TarEntry;
  end: number;
}

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
  private readonly whiteouts = new Map<ByteString, { directory: Directory; name: string }>();
  private readonly links = new Map<ByteString, ByteString>();
  private readonly devices = new Map<ByteString, TarEntry>();
  private readonly xattrs: { path: ByteString; name: ByteString; value: string }[] = [];
  private file: OpenFile | undefined;

  entry(entry: TarEntry): void {
    this.entries += 1;
    try {
      this.place(entry);
    } catch (error) {
      throw explain(error, entry.path);
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
    else if (kind.kind === "whiteout")
      this.whiteouts.set(directory.childPath(kind.name), { directory, name: kind.name });
    else if (kind.kind === "plain") this.write(entry, directory, name);
  }

  data(chunk: Buffer, position: number): void {
    const file = this.file;
    if (file === undefined) return;
    for (let done = 0; done < chunk.length; )
      done += writeSync(file.fd, chunk, done, chunk.length - done, position + done);
    file.end = position + chunk.length;
  }

  entryEnd(): void {
    const file = this.file;
    if (file === undefined) return;
    this.file = undefined;
    const { fd, entry, path } = file;
    try {
      if (file.end < entry.size) ftruncateSync(fd, entry.size);
      if (entry.uid !== 0 || entry.gid !== 0) {
        fchownSync(fd, entry.uid, entry.gid);
        // chown(2) takes setuid and setgid away.
        if (entry.mode > 0o777) fchmodSync(fd, entry.mode);
      }
      // Attributes after the owner: chown(2) removes security.capability.
      if (entry.xattrs.size > 0) this.setXattrs(path, entry);
      if (isPlainTime(entry.mtime)) futimesSync(fd, entry.mtime.seconds, entry.mtime.seconds);
    } finally {
      closeSync(fd);
    }
    if (!isPlainTime(entry.mtime)) setTime(fsPath(path), entry.mtime);
  }

  /** Makes whiteouts, then describes the directories. Answers what is left to others. */
  finish(): LayerRemainder {
    const whiteouts = [...this.whiteouts.values()]
      .filter((whiteout) => this.makeWhiteout(whiteout.directory, whiteout.name))
      .map(({ directory, name }) => directory.childPath(name));
    const directories = [...this.tree.directories()];
    for (const directory of directories) this.describe(directory);
    const [root, ...below] = directories;
    const paths = (wanted: (directory: Directory) => boolean) =>
      below.filter(wanted).map((directory) => directory.path as ByteString);
    return {
      rootImplied: root?.entry === undefined,
      rootOpaque: root?.opaque === true,
      implied: paths((directory) => directory.entry === undefined),
      opaque: paths((directory) => directory.opaque),
      whiteouts,
      links: [...this.links].map(([path, target]) => ({ path, target })),
      devices: [...this.devices].map(([path, entry]) => deviceNode(path, entry)),
      xattrs: this.xattrs,
    };
  }

  private directory(components: readonly string[]): Directory {
    try {
      return this.tree.directory(components);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      throw new TarFault("leads through something that is not a directory");
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
    this.tree.forget(directory, name);
    this.links.delete(path);
    this.devices.delete(path);
    switch (entry.type) {
      case "file":
        return this.openFile(entry, path);
      case "symlink":
        this.replacing(path, () => symlinkSync(fsPath(entry.linkPath), fsPath(path)));
        this.tree.addSymlink(directory, name, entry.linkPath);
        return this.describeSpecial(entry, path);
      case "link":
        return this.writeLink(entry, path);
      case "fifo":
        this.replacing(path, () => makeNode(fsPath(path), S_IFIFO | entry.mode, 0));
        return this.describeSpecial(entry, path);
      default:
        if (entry.type === "char" && entry.devMajor === 0 && entry.devMinor === 0)
          throw new UnsafeName("is a character device 0:0, which would be a whiteout");
        tolerating(["ENOENT"], () => rmSync(fsPath(path), { recursive: true }));
        this.devices.set(path, entry);
    }
  }

  private writeDirectory(entry: TarEntry, parent: Directory, name: string): void {
    const known = parent.children.get(name);
    const path = parent.childPath(name);
    if (typeof known === "object") {
      known.entry = entry;
      return;
    }
    this.tree.forget(parent, name);
    this.links.delete(path);
    this.devices.delete(path);
    // A file or symlink of an earlier entry makes way; a directory would be known.
    this.replacing(path, () => {
      this.tree.add(parent, name).entry = entry;
    });
  }

  private openFile(entry: TarEntry, path: ByteString): void {
    this.bytes += entry.size;
    const fd = this.replacing(path, () => openSync(fsPath(path), CREATE, entry.mode));
    this.file = { fd, path, entry, end: 0 };
  }

  private writeLink(entry: TarEntry, path: ByteString): void {
    const components = linkComponents(entry.linkPath);
    const name = components.pop();
    if (name === undefined) throw new UnsafeName("is a hard link to the root");
    const directory = this.tree.existing(components);
    const target = directory?.childPath(name);
    if (target === path) return;
    const device = target === undefined ? undefined : this.devices.get(target);
    if (target === undefined || device !== undefined) {
      this.dropExisting(path);
      this.links.set(path, target ?? (entry.linkPath as ByteString));
      return;
    }
    try {
      this.replacing(path, () => linkSync(fsPath(target), fsPath(path)));
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
      this.dropExisting(path);
      this.links.set(path, target);
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
    setXattrs(fsPath(path), entry, (name, value) =>
      this.xattrs.push({ path, name, value: value.toString("base64") }),
    );
  }

  /** @returns whether there is a whiteout now, to be compared with the parent later */
  private makeWhiteout(directory: Directory, name: string): boolean {
    const child = directory.children.get(name);
    // The directory was removed, then made again: nothing of the old one may show.
    if (typeof child === "object") child.opaque = true;
    if (child !== undefined || this.links.has(directory.childPath(name))) return false;
    if (this.devices.has(directory.childPath(name))) return false;
    // Overlay lists a whiteout in an opaque directory as a name that can't be opened.
    for (let at: Directory | undefined = directory; at !== undefined; at = at.parent)
      if (at.opaque) return false;
    const path = fsPath(directory.childPath(name));
    const made = tolerating(["EEXIST", "ENOENT", "ENOTDIR"], () => {
      makeNode(path, S_IFCHR, 0);
      return true;
    });
    return made === true;
  }

  private makeDirectory(directory: Directory): void {
    mkdirSync(fsPath(directory.path as ByteString), 0o755);
  }

  private dropExisting(path: ByteString): void {
    rmSync(fsPath(path), { recursive: true, force: true });
  }

  /** Runs `make`; when something stands in its place, that goes and `make` runs again. */
  private replacing<T>(path: ByteString, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      if (lstatSync(fsPath(path)).isDirectory()) this.forgetBelow(path);
      this.dropExisting(path);
      return make();
    }
  }

  private forgetBelow(path: ByteString): void {
    const below = `${path}/`;
    for (const key of [...this.links.keys(), ...this.devices.keys()])
      if (key.startsWith(below)) {
        this.links.delete(key);
        this.devices.delete(key);
      }
  }
}

/** Names the entry in an error; the caller adds the layer. */
function explain(error: unknown, path: ByteString): unknown {
  const entry = `entry '${displayName(path)}'`;
  if (error instanceof UnsafeName)
    return new TsimgError("ERR_LAYER_UNSAFE", `${entry} ${error.message}`, {
      hint: "the layer is built wrongly or an attack: nothing of it was kept",
    });
  if (error instanceof TarFault)
    return new TsimgError("ERR_LAYER_CORRUPT", `${entry}: ${error.message}`);
  const code = errorCode(error);
  if (error instanceof TsimgError || code === undefined) return error;
  return new TsimgError("ERR_UNPACK", `${entry} can't be written: ${code}`, {
    cause: error,
    ...(code === "ENOSPC" && { hint: "the file system is full: make room or use another --root" }),
    ...(code === "EDQUOT" && { hint: "the disk quota is used up" }),
  });
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

function deviceNode(path: ByteString, entry: TarEntry): LayerRemainder["devices"][number] {
  return {
    path,
    type: entry.type === "block" ? "block" : "char",
    major: entry.devMajor,
    minor: entry.devMinor,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    seconds: entry.mtime.seconds,
    nanoseconds: entry.mtime.nanoseconds,
  };
}
