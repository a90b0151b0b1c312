import { closeSync, openSync } from "node:fs";
import { BlockStream } from "./block-stream.ts";
import { type Description, FILE_TYPE } from "./format.ts";
import { Branch, type ImageTree, type TreeNode } from "./image-tree.ts";
import type { CommonTime } from "./inode.ts";
import type { ChunkPlace } from "./inode-area.ts";

/**
 * What an unpack process leaves of an image beside the image: where inodes are, and the
 * tree of names. Numbers are LEB128, but for seconds, which are a float of 64 bits.
 *
 *     file  = MAGIC end sparseChunks time chunks{block blocks} directory
 *     node  = type, 0x80 added when it has several names; name; place | directory
 *     directory = mode uid gid time xattrs{name value} nodes{…}
 *     time  = seconds nanoseconds
 *
 * `name` and `value` begin with their length, and what is in braces with its number.
 */
export const TREE_MAGIC = "tsimg-tree-1";
export const SEVERAL_NAMES = 0x80;

export interface ImageState {
  /** Where the image ends so far, in bytes. */
  readonly end: number;
  readonly sparseChunks: number;
  readonly time: CommonTime;
  readonly chunks: readonly ChunkPlace[];
}

/** Writes `path`, which must not be there. */
export function writeTreeFile(path: string, state: ImageState, tree: ImageTree): void {
  const fd = openSync(path, "wx", 0o600);
  try {
    const out = new TreeOutput(new BlockStream(fd, 0));
    out.state(state);
    out.tree(tree.root);
    out.end();
  } finally {
    closeSync(fd);
  }
}

/** Longest of what is put together before it is handed on: a name with its numbers. */
const SCRATCH = 1024;

class TreeOutput {
  private readonly stream: BlockStream;
  private readonly scratch = Buffer.alloc(SCRATCH);
  private fill = 0;

  constructor(stream: BlockStream) {
    this.stream = stream;
  }

  state({ end, sparseChunks, time, chunks }: ImageState): void {
    this.name(TREE_MAGIC);
    this.numbers(end, sparseChunks);
    this.time(time.seconds, time.nanoseconds);
    this.numbers(chunks.length);
    for (const { block, blocks } of chunks) this.numbers(block, blocks);
  }

  tree(root: Branch): void {
    this.directory(root);
    const open = [root.children.entries()];
    for (let children = open.at(-1); children !== undefined; children = open.at(-1)) {
      const next = children.next();
      if (next.done) {
        open.pop();
        continue;
      }
      const [name, node] = next.value;
      this.node(name, node);
      if (node instanceof Branch) open.push(node.children.entries());
    }
  }

  end(): void {
    this.pass();
    this.stream.flush();
  }

  private node(name: string, node: TreeNode): void {
    if (node instanceof Branch) {
      this.numbers(FILE_TYPE.directory);
      this.name(name);
      return this.directory(node);
    }
    this.numbers(node.type + (node.links > 1 ? SEVERAL_NAMES : 0));
    this.name(name);
    this.numbers(node.place);
  }

  private directory({ description, children }: Branch): void {
    this.description(description);
    this.numbers(children.size);
  }

  private description({ mode, uid, gid, seconds, nanoseconds, xattrs }: Description): void {
    this.numbers(mode, uid, gid);
    this.time(seconds, nanoseconds);
    this.numbers(xattrs.size);
    for (const [name, value] of xattrs) {
      this.name(name);
      this.numbers(value.length);
      this.pass();
      this.stream.write(value);
    }
  }

  private time(seconds: number, nanoseconds: number): void {
    this.makeRoom(8);
    this.fill = this.scratch.writeDoubleLE(seconds, this.fill);
    this.numbers(nanoseconds);
  }

  private name(name: string): void {
    this.numbers(name.length);
    this.makeRoom(name.length);
    this.fill += this.scratch.write(name, this.fill, "latin1");
  }

  private numbers(...values: readonly number[]): void {
    this.makeRoom(10 * values.length);
    for (const value of values) {
      let left = value;
      for (; left >= 0x80; left = Math.floor(left / 0x80))
        this.scratch[this.fill++] = (left % 0x80) | 0x80;
      this.scratch[this.fill++] = left;
    }
  }

  private makeRoom(bytes: number): void {
    if (this.fill + bytes > SCRATCH) this.pass();
  }

  private pass(): void {
    this.stream.write(this.scratch.subarray(0, this.fill));
    this.fill = 0;
  }
}
