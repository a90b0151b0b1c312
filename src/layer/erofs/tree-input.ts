import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { isAllowed } from "./attributes.ts";
import { BLOCK, type Description, FILE_TYPE, isFileType, MAX_NAME } from "./format.ts";
import { Branch, ImageTree, isName, Leaf } from "./image-tree.ts";
import { damaged } from "./image-writer.ts";
import { type ImageState, SEVERAL_NAMES, TREE_MAGIC } from "./tree-file.ts";

const MAX_BYTES = 2 ** 30;
/** More than a path of 4095 bytes has directories. */
const MAX_DEPTH = 2100;
const MAX_ID = 0xffff_fffe;
const MAX_BLOCK = 0xffff_fffe;
const MAX_VALUE = 0xffff;
const BILLION = 1_000_000_000;

/**
 * Reads a tree file. It was made from hostile bytes by a process that they may have taken
 * over: everything in it is checked, places in the image by who looks there.
 *
 * @throws TsimgError ERR_LAYER_CORRUPT
 */
export function readTreeFile(path: string): {
  readonly state: ImageState;
  readonly tree: ImageTree;
} {
  const input = new TreeInput(readLeft(path));
  try {
    return { state: input.state(), tree: new ImageTree(input.tree()) };
  } catch (error) {
    // Beyond the file's end.
    if (error instanceof RangeError) throw damaged();
    throw error;
  }
}

/** The content of what an unpack process has left, which must be a file. */
function readLeft(path: string): Buffer {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_BYTES) throw damaged();
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A directory of which not all children are read. */
interface Open {
  readonly branch: Branch;
  left: number;
}

class TreeInput {
  private readonly bytes: Buffer;
  private at = 0;
  /** What has several names, by its place. */
  private readonly shared = new Map<number, Leaf>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  state(): ImageState {
    if (this.name() !== TREE_MAGIC) throw damaged();
    const end = this.number(MAX_BLOCK * BLOCK);
    const sparseChunks = this.number(Number.MAX_SAFE_INTEGER);
    const time = this.time();
    const chunks = Array.from({ length: this.number(this.bytes.length) }, () => {
      const block = this.number(MAX_BLOCK);
      return { block, blocks: this.number(MAX_BLOCK) };
    });
    if (chunks.some(({ block, blocks }) => (block + blocks) * BLOCK > end)) throw damaged();
    if (end % BLOCK !== 0) throw damaged();
    return { end, sparseChunks, time, chunks };
  }

  tree(): Branch {
    const root = this.directory();
    const open = [root];
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (top.left-- === 0) {
        open.pop();
        continue;
      }
      const below = this.node(top.branch);
      if (below !== undefined && open.push(below) > MAX_DEPTH) throw damaged();
    }
    if (this.at !== this.bytes.length) throw damaged();
    return root.branch;
  }

  private node(parent: Branch): Open | undefined {
    const kind = this.number(0xff);
    const type = kind & ~SEVERAL_NAMES;
    const name = this.name();
    if (!isName(name) || parent.children.has(name) || !isFileType(type)) throw damaged();
    if (type === FILE_TYPE.directory) {
      const open = this.directory();
      parent.children.set(name, open.branch);
      return open;
    }
    const place = this.number(Number.MAX_SAFE_INTEGER);
    const known = this.shared.get(place);
    if (known !== undefined && known.type !== type) throw damaged();
    const leaf = known ?? new Leaf(type);
    leaf.place = place;
    if (known !== undefined) known.links += 1;
    else if (kind !== type) this.shared.set(place, leaf);
    parent.children.set(name, leaf);
    return undefined;
  }

  private directory(): Open {
    const branch = new Branch();
    branch.description = this.description();
    return { branch, left: this.number(this.bytes.length) };
  }

  private description(): Description {
    const [mode, uid, gid] = [this.number(0o7777), this.number(MAX_ID), this.number(MAX_ID)];
    const time = this.time();
    const xattrs = new Map<string, Buffer>();
    for (let left = this.number(this.bytes.length); left > 0; left--) {
      const name = this.name();
      if (!isAllowed(FILE_TYPE.directory, name)) throw damaged();
      xattrs.set(name, Buffer.from(this.take(this.number(MAX_VALUE))));
    }
    return { mode, uid, gid, ...time, xattrs };
  }

  private time(): { readonly seconds: number; readonly nanoseconds: number } {
    const seconds = this.take(8).readDoubleLE();
    if (!Number.isSafeInteger(seconds)) throw damaged();
    return { seconds, nanoseconds: this.number(BILLION - 1) };
  }

  private name(): string {
    return this.take(this.number(MAX_NAME)).toString("latin1");
  }

  private number(most: number): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * scale;
      if (value > most) throw damaged();
      if (byte < 0x80) return value;
    }
  }

  private take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw damaged();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
