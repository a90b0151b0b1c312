import { TsimgError } from "../../sys/error.ts";
import type { BlockStream } from "./block-stream.ts";
import {
  type Division,
  divide,
  entriesOf,
  sortChildren,
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
  readonly parent: Branch;
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
 *
 * @param first the first block, still without its superblock
 * @returns how many they are
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

  write(first: Buffer): number {
    let place = this.stream.position;
    let count = 0;
    for (const [branch] of directories(this.root)) sortChildren(branch);
    for (const [branch, parent] of directories(this.root)) {
      count += 1;
      place = this.locate(this.plan(branch, parent), place);
    }
    let block = Math.ceil(place / BLOCK);
    // Parents come first each time, so that everything is written in the order of its place.
    for (const [branch, parent] of directories(this.root)) {
      const plan = this.plan(branch, parent);
      this.writeInode(plan, block, first);
      block += blocksOutside(plan);
    }
    this.stream.align();
    for (const [branch, parent] of directories(this.root))
      this.writeBlocks(this.plan(branch, parent));
    return count;
  }

  private plan(branch: Branch, parent: Branch): Plan {
    const { description, children } = branch;
    const division = divide(branch);
    const size = division.full.length * BLOCK + division.last;
    const links =
      2 + children.values().reduce((sum, child) => sum + (child instanceof Branch ? 1 : 0), 0);
    const xattrSize = xattrBytes(description.xattrs);
    const compact = this.writer.isCompact({ type: FILE_TYPE.directory, description, size, links });
    const header = inodeBytes(compact) + xattrSize;
    const room = branch === this.root ? BLOCK - ROOT_PLACE : BLOCK;
    if (branch === this.root && header > room) throw crowdedRoot(xattrSize);
    const inline = header + division.last <= room;
    const bytes = header + (inline ? division.last : 0);
    return { ...division, branch, parent, links, xattrSize, compact, inline, bytes };
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
      const skipped = full.reduce((sum, count) => sum + count, 0);
      const entries = [...entriesOf(branch, plan.parent, this.numberOf).drop(skipped)];
      writeEntries(entries, into, at + header + xattrSize);
    }
    if (isRoot) return;
    this.stream.writeZeros(branch.number * SLOT - this.stream.position);
    this.stream.write(into);
  }

  private writeBlocks(plan: Plan): void {
    if (blocksOutside(plan) === 0) return;
    const entries = entriesOf(plan.branch, plan.parent, this.numberOf);
    const counts = plan.inline ? plan.full : [...plan.full, Number.POSITIVE_INFINITY];
    for (const count of counts) {
      const block = Buffer.alloc(BLOCK);
      writeEntries(takeSome(entries, count), block, 0);
      this.stream.write(block);
    }
  }
}

/** Every directory with its parent, parents before their children; the root is its own. */
function* directories(root: Branch): Generator<readonly [branch: Branch, parent: Branch]> {
  const left: [Branch, Branch][] = [[root, root]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield next;
    for (const child of next[0].children.values())
      if (child instanceof Branch) left.push([child, next[0]]);
  }
}

function blocksOutside({ full, inline }: Plan): number {
  return full.length + (inline ? 0 : 1);
}

function takeSome<T>(from: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = from.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

function crowdedRoot(bytes: number): TsimgError {
  return new TsimgError("ERR_LAYER_LIMIT", `the root has ${bytes} bytes of extended attributes`, {
    hint: "an EROFS image has no room for so many there: use another driver",
  });
}
