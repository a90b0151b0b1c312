import { closeSync, constants, openSync, readSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { ErrnoError, tolerating } from "../../sys/errno.ts";
import { deviceNumber } from "../../sys/file-node.ts";
import { getXattr, listXattrs } from "../../sys/xattr.ts";
import { isOverlayMark } from "../metadata.ts";
import type { DeviceNode } from "../remainder.ts";
import type { TreeRoot } from "../stitch/tree-path.ts";
import type { TreeStat, UpperTree } from "../stitch/upper-tree.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { isAllowed, withAttribute, withAttributes } from "./attributes.ts";
import { addWhiteout } from "./erofs-target.ts";
import { type Description, FILE_TYPE, type FileType, formatBits, LAYOUT } from "./format.ts";
import { ImageFile } from "./image-file.ts";
import { Branch, type ImageTree, Leaf, type TreeNode } from "./image-tree.ts";
import { damaged, type ImageWriter, NO_CONTENT } from "./image-writer.ts";

const PIECE = 256 * 1024;
const BILLION = 1_000_000_000n;

/** A layer in an EROFS image, on its way to be completed. */
export class ErofsUpper implements UpperTree {
  private readonly tree: ImageTree;
  private readonly writer: ImageWriter;

  constructor(tree: ImageTree, writer: ImageWriter) {
    this.tree = tree;
    this.writer = writer;
  }

  look(path: string): TreeStat | undefined {
    const node = tolerating(["ENOTDIR"], () => this.tree.look(path));
    return node === undefined ? undefined : this.stat(node);
  }

  list(path: string): readonly string[] {
    return [...this.tree.branch(path).children.keys()];
  }

  linkTarget(path: string): string {
    const { place } = this.tree.leaf(path);
    const inode = this.writer.look(place);
    if (inode.layout !== LAYOUT.inline) return this.writer.readBlock(inode).toString("latin1");
    return this.writer.behind(place, inode).toString("latin1");
  }

  /** An image's directories keep their time by themselves. */
  keepingTime<T>(_path: string, change: () => T): T {
    return change();
  }

  makeDirectory(path: string): void {
    this.tree.add(path, new Branch());
  }

  makeWhiteout(path: string): void {
    const leaf = this.tree.add(path, new Leaf(FILE_TYPE.char));
    leaf.place = addWhiteout(this.writer);
  }

  makeDevice(device: DeviceNode): void {
    const [first, ...others] = device.paths;
    if (first === undefined) return;
    const type = device.type === "block" ? FILE_TYPE.block : FILE_TYPE.char;
    const leaf = this.tree.add(first, new Leaf(type));
    const union = deviceNumber(device.major, device.minor);
    leaf.place = this.writer.add(type, { ...device, xattrs: new Map() }, { ...NO_CONTENT, union });
    for (const path of others) this.link(first, path);
  }

  link(target: string, path: string): void {
    this.tree.link(target, path);
  }

  rename(from: string, to: string): void {
    this.tree.rename(from, to);
  }

  unlink(path: string): void {
    this.tree.leaf(path);
    this.tree.remove(path);
  }

  removeDirectory(path: string): boolean {
    return this.tree.removeDirectory(path);
  }

  setXattr(path: string, name: ByteString, value: Buffer): void {
    const node = this.tree.get(path);
    const type = typeOf(node);
    if (!isAllowed(type, name))
      throw new ErrnoError("setxattr", osConstants.errno.EPERM, { path, dest: name });
    this.redescribe(node, withAttribute(type, this.description(node), name, value));
  }

  copyMetadata(from: string, to: string): void {
    this.redescribe(this.tree.get(to), this.description(this.tree.get(from)));
  }

  takeMetadata(below: TreeRoot, from: string, stat: TreeStat, to: string): void {
    const node = this.tree.get(to);
    this.redescribe(node, descriptionBelow(below, from, stat, typeOf(node)));
  }

  take(below: TreeRoot, from: string, stat: TreeStat, to: string): void {
    const type = typeOfStat(stat);
    const description = descriptionBelow(below, from, stat, type);
    if (type === FILE_TYPE.directory) {
      this.tree.add(to, new Branch()).description = description;
      return;
    }
    const leaf = this.tree.add(to, new Leaf(type));
    if (type === FILE_TYPE.file) return this.takeContent(below, from, stat, leaf, description);
    const { writer } = this;
    if (type === FILE_TYPE.symlink) {
      const target = Buffer.from(below.linkTarget(from), "latin1");
      leaf.place = writer.add(type, description, writer.shortContent(type, description, target));
    } else {
      const union = Number(stat.rdev & 0xffff_ffffn);
      leaf.place = writer.add(type, description, { ...NO_CONTENT, union });
    }
  }

  /** Pieces that are all zeros become holes. */
  private takeContent(
    below: TreeRoot,
    from: string,
    stat: TreeStat,
    leaf: Leaf,
    description: Description,
  ): void {
    const size = Number(stat.size);
    const file = new ImageFile(this.writer, leaf, from as ByteString, description, size);
    const piece = Buffer.allocUnsafeSlow(PIECE);
    const fd = openSync(below.at(from), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      for (let at = 0; at < size; ) {
        const count = readSync(fd, piece, 0, Math.min(PIECE, size - at), at);
        if (count === 0) break;
        const bytes = piece.subarray(0, count);
        if (!isZero(bytes)) file.write(bytes, at);
        at += count;
      }
    } finally {
      closeSync(fd);
    }
    file.finish();
  }

  private stat(node: TreeNode): TreeStat {
    const type = typeOf(node);
    const inode = node instanceof Leaf ? this.writer.look(node.place) : undefined;
    if (inode !== undefined && inode.type !== type) throw damaged();
    const { mode, uid, gid, seconds, nanoseconds } =
      node instanceof Branch ? node.description : this.writer.look(node.place).description;
    const isDevice = type === FILE_TYPE.char || type === FILE_TYPE.block;
    return {
      mode: BigInt(formatBits(type) | mode),
      uid: BigInt(uid),
      gid: BigInt(gid),
      size: BigInt(inode?.size ?? 0),
      mtimeNs: BigInt(seconds) * BILLION + BigInt(nanoseconds),
      nlink: BigInt(node instanceof Leaf ? node.links : 2),
      ino: BigInt(node instanceof Leaf ? node.place : 0),
      rdev: isDevice ? BigInt(inode?.union ?? 0) : 0n,
      isDirectory: () => type === FILE_TYPE.directory,
      isSymbolicLink: () => type === FILE_TYPE.symlink,
      isFile: () => type === FILE_TYPE.file,
      isCharacterDevice: () => type === FILE_TYPE.char,
    };
  }

  private description(node: TreeNode): Description {
    return node instanceof Branch ? node.description : this.writer.describe(node.place);
  }

  private redescribe(node: TreeNode, description: Description): void {
    if (node instanceof Branch) node.description = description;
    else node.place = this.writer.redescribe(node.place, description);
  }
}

function typeOf(node: TreeNode): FileType {
  return node instanceof Branch ? FILE_TYPE.directory : node.type;
}

function typeOfStat(stat: TreeStat): FileType {
  const bits = Number(stat.mode) & 0o170000;
  const type = Object.values(FILE_TYPE).find((each) => formatBits(each) === bits);
  if (type === undefined) throw new Error(`a layer has no file of mode ${bits.toString(8)}`);
  return type;
}

function descriptionBelow(
  below: TreeRoot,
  from: string,
  stat: TreeStat,
  type: FileType,
): Description {
  const at = below.at(from);
  const xattrs = new Map<string, Buffer>();
  for (const bytes of listXattrs(at)) {
    const name = bytes.toString("latin1");
    const value = isOverlayMark(name) ? undefined : getXattr(at, bytes);
    if (value !== undefined) xattrs.set(name, value);
  }
  const fraction = ((stat.mtimeNs % BILLION) + BILLION) % BILLION;
  const described = {
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    seconds: Number((stat.mtimeNs - fraction) / BILLION),
    nanoseconds: Number(fraction),
  };
  return withAttributes(type, described, xattrs);
}

function isZero(bytes: Buffer): boolean {
  return bytes[0] === 0 && bytes.compare(bytes, 1, bytes.length, 0, bytes.length - 1) === 0;
}
