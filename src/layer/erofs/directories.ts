import { TsimgError } from "../../sys/error.ts";
import type { BlockStream } from "./block-stream.ts";
import {
  completeChildren,
  type Division,
  divide,
  entriesOf,
  isBelow,
  writeEntries,
} from "./directory-entries.ts";
import { BLOCK, FILE_TYPE, LAYOUT, NO_BLOCK, SLOT } from "./format.ts";
import { Branch } from "./image-tree.ts";
import type { ImageWriter } from "./image-writer.ts";
import { inodeBytes, writeInode } from "./inode.ts";
import { ROOT_NUMBER, ROOT_PLACE } from "./superblock.ts";
import { writeXattrs, xattrBytes } from "./xattrs.ts";

/** How a directory is stored. */
interface Plan extends Division {
  readonly branch: Branch;
  readonly links: number;
  readonly compact: boolean;
  readonly xattrSize: number;
  /** Bytes of the inode and what is behind it. */
  readonly bytes: number;
  /** The last block's entries stand behind the inode. */
  readonly inline: boolean;
}

/**
 * Writes all directories to the end of an image: their inodes, then the blocks of those that
 * are large. The root's inode goes into the image's first block, since its number has 16 bits.
 */
export class DirectoryWriter {
  private readonly writer: ImageWriter;
  private readonly stream: BlockStream;
  private readonly root: Branch;
  private readonly numberOf: (place: number) => number;

  constructor(writer: ImageWriter, root: Branch) {
    this.writer = writer;
    this.stream = writer.stream;
    this.root = root;
    this.numberOf = (place) => writer.area.number(place);
  }

  /**
   * @param first the first block, still without its superblock
   * @returns how many directories there are; they hold "." and ".." from now on
   */
  write(first: Buffer): number {
    let place = this.stream.position;
    let count = 0;
    for (const [branch, parent] of directories(this.root)) {
      completeChildren(branch, parent);
      place = this.locate(this.plan(branch), place);
      count += 1;
    }
    let block = Math.ceil(place / BLOCK);
    // Parents come first each time, so that everything is written in the order of its place.
    for (const [branch] of directories(this.root)) {
      const plan = this.plan(branch);
      this.writeInode(plan, block, first);
      block += blocksOutside(plan);
    }
    this.stream.align();
    for (const [branch] of directories(this.root)) this.writeBlocks(this.plan(branch));
    return count;
  }

  private plan(branch: Branch): Plan {
    const { description, children } = branch;
    const division = divide(branch);
    const size = division.full.length * BLOCK + division.last;
    let links = 0;
    for (const child of children.values()) if (child instanceof Branch) links += 1;
    const xattrSize = xattrBytes(description.xattrs);
    const compact = this.writer.isCompact({ type: FILE_TYPE.directory, description, size, links });
    const header = inodeBytes(compact) + xattrSize;
    const room = branch === this.root ? BLOCK - ROOT_PLACE : BLOCK;
    if (branch === this.root && header > room) throw crowdedRoot(xattrSize);
    const inline = header + division.last <= room;
    const bytes = header + (inline ? division.last : 0);
    return { ...division, branch, links, xattrSize, compact, inline, bytes };
  }

  /** Gives a directory its number. @returns where the next one may be */
  private locate({ branch, bytes }: Plan, from: number): number {
    if (branch === this.root) {
      branch.number = ROOT_NUMBER;
      return from;
    }
    const place = (from % BLOCK) + bytes > BLOCK ? Math.ceil(from / BLOCK) * BLOCK : from;
    branch.number = place / SLOT;
    return place + Math.ceil(bytes / SLOT) * SLOT;
  }

  private writeInode(plan: Plan, block: number, first: Buffer): void {
    const { branch, links, compact, xattrSize, inline, full, last } = plan;
    const isRoot = branch === this.root;
    const into = isRoot ? first : Buffer.alloc(plan.bytes);
    const at = isRoot ? ROOT_PLACE : 0;
    const inode = {
      type: FILE_TYPE.directory,
      description: branch.description,
      size: full.length * BLOCK + last,
      links,
      layout: inline ? LAYOUT.inline : LAYOUT.plain,
      union: blocksOutside(plan) > 0 ? block : NO_BLOCK,
    };
    const header = inodeBytes(compact);
    writeInode(inode, compact, xattrSize, branch.number, into, at);
    writeXattrs(branch.description.xattrs, into, at + header);
    if (inline) {
      const outside = full.reduce((sum, entries) => sum + entries, 0);
      const entries = entriesOf(branch, this.numberOf).slice(outside);
      writeEntries(entries, into, at + header + xattrSize);
    }
    if (isRoot) return;
    this.stream.writeZeros(branch.number * SLOT - this.stream.position);
    this.stream.write(into);
  }

  private writeBlocks(plan: Plan): void {
    if (blocksOutside(plan) === 0) return;
    const entries = entriesOf(plan.branch, this.numberOf);
    const counts = plan.inline ? plan.full : [...plan.full, entries.length];
    let done = 0;
    for (const count of counts) {
      const block = Buffer.alloc(BLOCK);
      writeEntries(entries.slice(done, done + count), block, 0);
      this.stream.write(block);
      done += count;
    }
  }
}

/** Every directory with its parent, parents before their children; the root is its own. */
function* directories(root: Branch): Generator<readonly [branch: Branch, parent: Branch]> {
  const left: [Branch, Branch][] = [[root, root]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield next;
    for (const [name, child] of next[0].children)
      if (child instanceof Branch && isBelow(name)) left.push([child, next[0]]);
  }
}

function blocksOutside({ full, inline }: Plan): number {
  return full.length + (inline ? 0 : 1);
}

function crowdedRoot(bytes: number): TsimgError {
  return new TsimgError("ERR_LAYER_LIMIT", `the root has ${bytes} bytes of extended attributes`, {
    hint: "an EROFS image has no room for so many there: use another driver",
  });
}
