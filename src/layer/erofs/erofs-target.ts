import { tolerating } from "../../sys/errno.ts";
import { deviceNumber } from "../../sys/file-node.ts";
import type { FileSink, LayerTarget } from "../layer-target.ts";
import { type ByteString, toBuffer } from "../tar/byte-string.ts";
import type { TarEntry, TarTime } from "../tar/entry.ts";
import { withAttributes } from "./attributes.ts";
import { type Description, FILE_TYPE } from "./format.ts";
import { ImageFile } from "./image-file.ts";
import { Branch, type ImageTree, Leaf, NOWHERE } from "./image-tree.ts";
import { type Content, type ImageWriter, NO_CONTENT } from "./image-writer.ts";
import { checkTarget } from "./symlink.ts";

/** As far as the kernel's clock of files goes; see `setTime` of metadata.ts. */
const FAR = 2 ** 40;
const PLAIN: Omit<Description, "seconds" | "nanoseconds"> = {
  mode: 0o777,
  uid: 0,
  gid: 0,
  xattrs: new Map(),
};

/** An EROFS image that a layer is written into, in overlay form. */
export class ErofsTarget implements LayerTarget {
  private readonly tree: ImageTree;
  private readonly writer: ImageWriter;
  /** Symlinks and fifos that are not described yet, with the former's content. */
  private readonly undescribed = new Map<Leaf, Content>();
  private whiteout: Leaf | undefined;

  constructor(tree: ImageTree, writer: ImageWriter) {
    this.tree = tree;
    this.writer = writer;
  }

  look(path: ByteString): "directory" | "other" | undefined {
    const node = this.tree.look(path);
    if (node === undefined) return undefined;
    return node instanceof Branch ? "directory" : "other";
  }

  makeFile(path: ByteString, entry: TarEntry): FileSink {
    const description = describedBy(FILE_TYPE.file, entry);
    const leaf = this.tree.add(path, new Leaf(FILE_TYPE.file));
    return new ImageFile(this.writer, leaf, entry.path, description, entry.size);
  }

  makeDirectory(path: ByteString): void {
    this.tree.add(path, new Branch());
  }

  makeSymlink(path: ByteString, target: ByteString): void {
    checkTarget(target);
    const leaf = this.tree.add(path, new Leaf(FILE_TYPE.symlink));
    const behind = toBuffer(target);
    this.undescribed.set(leaf, { ...NO_CONTENT, size: behind.length, behind });
  }

  makeFifo(path: ByteString, _mode: number): void {
    const leaf = this.tree.add(path, new Leaf(FILE_TYPE.fifo));
    this.undescribed.set(leaf, NO_CONTENT);
  }

  /** All whiteouts of a layer are one inode. */
  makeWhiteout(path: ByteString): boolean {
    const leaf = this.whiteout ?? new Leaf(FILE_TYPE.char);
    const add = () => this.tree.add(path, leaf);
    if (tolerating(["EEXIST", "ENOENT", "ENOTDIR"], add) === undefined) return false;
    if (this.whiteout !== undefined) leaf.links += 1;
    else leaf.place = addWhiteout(this.writer);
    this.whiteout = leaf;
    return true;
  }

  link(target: ByteString, path: ByteString): void {
    this.tree.link(target, path);
  }

  removeDirectory(path: ByteString): boolean {
    return this.tree.removeDirectory(path);
  }

  remove(path: ByteString): void {
    this.tree.remove(path);
  }

  describe(path: ByteString, entry: TarEntry): void {
    const node = this.tree.get(path);
    if (node instanceof Branch) node.description = describedBy(FILE_TYPE.directory, entry);
    else this.place(node, describedBy(node.type, entry));
  }

  setTime(path: ByteString, time: TarTime): void {
    const node = this.tree.get(path);
    if (node instanceof Branch) node.description = { ...node.description, ...near(time) };
    else this.place(node, { ...(this.placed(node) ?? PLAIN), ...near(time) });
  }

  /** Places what was never described. */
  finish(): void {
    for (const leaf of this.undescribed.keys()) this.place(leaf, { ...PLAIN, ...this.writer.time });
  }

  private placed(leaf: Leaf): Description | undefined {
    return leaf.place === NOWHERE ? undefined : this.writer.describe(leaf.place);
  }

  private place(leaf: Leaf, description: Description): void {
    const { writer } = this;
    const content = this.undescribed.get(leaf);
    this.undescribed.delete(leaf);
    if (content === undefined) leaf.place = writer.redescribe(leaf.place, description);
    else {
      const { behind } = content;
      const short = writer.shortContent(leaf.type, description, behind);
      leaf.place = writer.add(leaf.type, description, short);
    }
  }
}

/** Writes a whiteout's inode, a character device 0:0. @returns its place */
export function addWhiteout(writer: ImageWriter): number {
  const description = { ...PLAIN, mode: 0, ...writer.time };
  return writer.add(FILE_TYPE.char, description, { ...NO_CONTENT, union: deviceNumber(0, 0) });
}

function describedBy(
  type: Parameters<typeof withAttributes>[0],
  { mode, uid, gid, mtime, xattrs }: TarEntry,
): Description {
  const kept = type === FILE_TYPE.symlink ? 0o777 : mode;
  return withAttributes(type, { mode: kept, uid, gid, ...near(mtime) }, xattrs);
}

function near({ seconds, nanoseconds }: TarTime): TarTime {
  return { seconds: Math.max(-FAR, Math.min(FAR, seconds)), nanoseconds };
}
