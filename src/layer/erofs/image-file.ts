import { entryError } from "../entry-error.ts";
import type { FileSink } from "../layer-target.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { BLOCK, type Description, FILE_TYPE, LAYOUT } from "./format.ts";
import type { Leaf } from "./image-tree.ts";
import type { Content, ImageWriter } from "./image-writer.ts";
import { SparseMap } from "./sparse-map.ts";

/** The last bytes of the file that is being written: there is only one. */
const TAIL = Buffer.alloc(BLOCK);
const NOTHING = Buffer.alloc(0);

/**
 * A regular file of an image while its content comes in. Whole blocks go straight into the
 * image; what is left over at the end goes behind the inode if it fits there. A file turns
 * sparse when a whole block of it is left out.
 */
export class ImageFile implements FileSink {
  private readonly writer: ImageWriter;
  private readonly leaf: Leaf;
  private readonly path: ByteString;
  private readonly description: Description;
  private readonly size: number;
  private readonly start: number;
  /** Where the content ends that goes into blocks. */
  private blocksEnd: number;
  private at = 0;
  private sparse: SparseMap | undefined;

  /** @param path for messages */
  constructor(
    writer: ImageWriter,
    leaf: Leaf,
    path: ByteString,
    description: Description,
    size: number,
  ) {
    this.writer = writer;
    this.leaf = leaf;
    this.path = path;
    this.description = description;
    this.size = size;
    this.start = writer.stream.block;
    const tail = size % BLOCK;
    const fits = writer.fitsBehind(FILE_TYPE.file, description, size, tail);
    this.blocksEnd = fits ? size - tail : size;
    if (fits) TAIL.fill(0, 0, tail);
  }

  write(chunk: Buffer, position: number): void {
    try {
      if (position > this.at) this.leap(position);
      this.put(chunk);
    } catch (error) {
      throw entryError(error, this.path);
    }
  }

  finish(): void {
    try {
      if (this.at < this.size) this.leap(this.size);
      this.writer.stream.align();
      this.leaf.place = this.writer.add(FILE_TYPE.file, this.description, this.content());
    } catch (error) {
      throw entryError(error, this.path);
    }
  }

  private put(chunk: Buffer): void {
    const { stream } = this.writer;
    if (this.sparse !== undefined) this.sparse.write(chunk, this.at);
    else {
      const inBlocks = Math.min(chunk.length, Math.max(0, this.blocksEnd - this.at));
      if (inBlocks === chunk.length) stream.write(chunk);
      else {
        if (inBlocks > 0) stream.write(chunk.subarray(0, inBlocks));
        chunk.copy(TAIL, this.at + inBlocks - this.blocksEnd, inBlocks);
      }
    }
    this.at += chunk.length;
  }

  /** Leaves out what is before `position`. */
  private leap(position: number): void {
    const end = Math.min(position, this.blocksEnd);
    const firstHole = Math.ceil(this.at / BLOCK);
    const lastHole = position === this.size ? Math.ceil(end / BLOCK) : Math.floor(end / BLOCK);
    if (this.sparse === undefined && firstHole < lastHole) {
      this.sparse = new SparseMap(this.writer, this.size, this.start, this.at);
      this.blocksEnd = this.size;
    }
    if (this.sparse !== undefined) this.sparse.leap(this.at, position);
    else if (end > this.at) this.writer.stream.writeZeros(end - this.at);
    this.at = position;
  }

  private content(): Content {
    const { size, start, sparse } = this;
    if (sparse !== undefined)
      return { size, layout: LAYOUT.chunks, union: sparse.exponent, behind: sparse.bytes() };
    const tail = size - this.blocksEnd;
    if (tail === 0) return { size, layout: LAYOUT.plain, union: start, behind: NOTHING };
    return { size, layout: LAYOUT.inline, union: start, behind: TAIL.subarray(0, tail) };
  }
}
