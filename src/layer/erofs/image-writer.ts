import { TsimgError } from "../../sys/error.ts";
import type { BlockStream } from "./block-stream.ts";
import { BLOCK, type Description, type FileType, LAYOUT, NO_BLOCK } from "./format.ts";
import {
  type CommonTime,
  type InodeFacts,
  inodeBytes,
  isCompact,
  linksField,
  readInode,
  type StoredInode,
  tailBytes,
  writeInode,
} from "./inode.ts";
import type { InodeArea } from "./inode-area.ts";
import { readXattrs, writeXattrs, xattrBytes } from "./xattrs.ts";

const NOTHING = Buffer.alloc(0);
const MAX_COMPACT_LINKS = 0xffff;

/** What stands behind an inode, and how it leads to the rest of the content. */
export interface Content {
  readonly size: number;
  readonly layout: number;
  readonly union: number;
  readonly behind: Buffer;
}

export const NO_CONTENT: Content = {
  size: 0,
  layout: LAYOUT.plain,
  union: NO_BLOCK,
  behind: NOTHING,
};

/** Writes inodes of everything but directories, each as soon as it is known. */
export class ImageWriter {
  readonly stream: BlockStream;
  readonly area: InodeArea;
  /** Chunks of all files with holes. */
  sparseChunks: number;
  private common: CommonTime | undefined;

  constructor(stream: BlockStream, area: InodeArea, common?: CommonTime, sparseChunks = 0) {
    this.stream = stream;
    this.area = area;
    this.common = common;
    this.sparseChunks = sparseChunks;
  }

  /** The time of all compact inodes: that of the first one. */
  get time(): CommonTime {
    return this.common ?? { seconds: 0, nanoseconds: 0 };
  }

  /** Whether an inode is stored in 32 bytes. The first one that is looked at sets the time. */
  isCompact(inode: InodeFacts): boolean {
    const { seconds, nanoseconds } = inode.description;
    this.common ??= { seconds, nanoseconds };
    return isCompact(inode, this.common);
  }

  /** Whether `bytes` of content find room behind an inode, in its block. */
  fitsBehind(type: FileType, description: Description, size: number, bytes: number): boolean {
    const compact = this.isCompact({ type, description, size, links: 1 });
    return inodeBytes(compact) + xattrBytes(description.xattrs) + bytes <= BLOCK;
  }

  /** @returns the inode's place in the area */
  add(type: FileType, description: Description, content: Content, links = 1): number {
    const { size, layout, union, behind } = content;
    const inode = { type, description, size, links, layout, union };
    const compact = this.isCompact(inode);
    const xattrSize = xattrBytes(description.xattrs);
    const header = inodeBytes(compact);
    const bytes = header + xattrSize + behind.length;
    return this.area.add(bytes, (into, at, place) => {
      writeInode(inode, compact, xattrSize, place, into, at);
      writeXattrs(description.xattrs, into, at + header);
      behind.copy(into, at + header + xattrSize);
    });
  }

  /** Short content behind the inode where that fits, else in blocks of its own. */
  shortContent(type: FileType, description: Description, bytes: Buffer): Content {
    const size = bytes.length;
    if (size === 0) return NO_CONTENT;
    if (size < BLOCK && this.fitsBehind(type, description, size, size))
      return { size, layout: LAYOUT.inline, union: NO_BLOCK, behind: bytes };
    const union = this.stream.block;
    this.stream.write(bytes);
    this.stream.align();
    return { size, layout: LAYOUT.plain, union, behind: NOTHING };
  }

  /** The inode at a place, without its attributes. @throws TsimgError where there is none */
  look(place: number): StoredInode {
    const header = this.area.holds(place) ? this.area.read(place, 0, 64) : NOTHING;
    const inode = header.length < 32 ? undefined : readInode(header, this.time);
    if (inode === undefined) throw damaged();
    return inode;
  }

  /** The inode at a place with its attributes. */
  describe(place: number): Description {
    const inode = this.look(place);
    return { ...inode.description, xattrs: this.xattrsOf(place, inode) };
  }

  /** What is behind an inode: a symlink's target, if it is short. */
  behind(place: number, inode: StoredInode): Buffer {
    const start = inodeBytes(inode.compact) + inode.xattrSize;
    const bytes = tailBytes(inode);
    const found = bytes > BLOCK * 64 ? NOTHING : this.area.read(place, start, bytes);
    if (found.length !== bytes) throw damaged();
    return found;
  }

  /** The first block of an inode's content, as far as that goes. */
  readBlock({ size, union }: StoredInode): Buffer {
    return this.stream.read(union * BLOCK, Math.min(size, BLOCK));
  }

  /** Writes an inode again with another description. @returns its new place */
  redescribe(place: number, description: Description, links = 1): number {
    const inode = this.look(place);
    const { type, size, layout, union } = inode;
    const behind = this.behind(place, inode);
    const fits =
      layout !== LAYOUT.inline || this.fitsBehind(type, description, size, behind.length);
    if (fits) return this.add(type, description, { size, layout, union, behind }, links);
    if (size === behind.length)
      return this.add(type, description, this.shortContent(type, description, behind), links);
    throw new TsimgError("ERR_LAYER_LIMIT", "extended attributes don't fit beside a file's end");
  }

  /** Gives an inode its number of names. @returns where it is from now on */
  setLinks(place: number, links: number): number {
    const { compact } = this.look(place);
    if (compact && links > MAX_COMPACT_LINKS)
      return this.redescribe(place, this.describe(place), links);
    const { at, bytes } = linksField(compact);
    const field = Buffer.alloc(bytes);
    field.writeUIntLE(links, 0, bytes);
    this.area.patch(place, at, field);
    return place;
  }

  private xattrsOf(place: number, inode: StoredInode): Map<string, Buffer> {
    const bytes = this.area.read(place, inodeBytes(inode.compact), inode.xattrSize);
    if (bytes.length !== inode.xattrSize) throw damaged();
    try {
      return readXattrs(bytes);
    } catch (error) {
      if (error instanceof RangeError) throw damaged();
      throw error;
    }
  }
}

export function damaged(): TsimgError {
  return new TsimgError("ERR_LAYER_CORRUPT", "the layer's image is damaged", {
    hint: "pull the image again",
  });
}
