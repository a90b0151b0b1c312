import { BLOCK, NO_BLOCK } from "./format.ts";
import type { ImageWriter } from "./image-writer.ts";
import { chunkBytes } from "./inode.ts";

/** Chunks that a file is divided into at most, while an image has few of them. */
const MANY = 0x4000;
const FEW = 0x40;
/** Chunks of all of an image's files, from which on files get few: each takes 4 bytes. */
const PLENTY = 0x10_0000;

/**
 * Where the chunks of a file with holes are. A chunk of which any part is written lies in
 * consecutive blocks of the image; what of it isn't written is a hole of the image itself.
 */
export class SparseMap {
  /** The size of chunks, as an inode states it: doublings of a block. */
  readonly exponent: number;
  private readonly writer: ImageWriter;
  private readonly size: number;
  private readonly chunk: number;
  private readonly places: Uint32Array;

  /**
   * @param start the block in which the file starts
   * @param written bytes that are there from its start on
   */
  constructor(writer: ImageWriter, size: number, start: number, written: number) {
    this.writer = writer;
    this.size = size;
    this.exponent = exponentFor(size, writer.sparseChunks > PLENTY ? FEW : MANY);
    this.chunk = chunkBytes(this.exponent);
    this.places = new Uint32Array(Math.ceil(size / this.chunk)).fill(NO_BLOCK);
    writer.sparseChunks += this.places.length;
    for (let index = 0; index * this.chunk < written; index++)
      this.places[index] = start + (index * this.chunk) / BLOCK;
  }

  /** Writes at `at`, where the stream is, or at the start of a chunk. */
  write(bytes: Buffer, at: number): void {
    for (let done = 0; done < bytes.length; ) {
      const position = at + done;
      if (position % this.chunk === 0) this.begin(position);
      const room = this.chunk - (position % this.chunk);
      this.writer.stream.write(bytes.subarray(done, done + room));
      done += Math.min(room, bytes.length - done);
    }
  }

  /** Goes on at `to`. */
  leap(from: number, to: number): void {
    const { stream } = this.writer;
    const inside = from % this.chunk;
    const end = Math.min(from - inside + this.chunk, Math.ceil(this.size / BLOCK) * BLOCK);
    if (inside > 0 && to < end) return stream.skip(to - from);
    if (inside > 0) stream.skip(end - from);
    if (to === this.size || to % this.chunk === 0) return;
    this.begin(to);
    stream.skip(to % this.chunk);
  }

  /** What stands behind the inode. */
  bytes(): Buffer {
    const bytes = Buffer.alloc(4 * this.places.length);
    this.places.forEach((place, index) => {
      bytes.writeUInt32LE(place, 4 * index);
    });
    return bytes;
  }

  private begin(position: number): void {
    this.places[Math.floor(position / this.chunk)] = this.writer.stream.block;
  }
}

function exponentFor(size: number, chunks: number): number {
  let exponent = 0;
  while (size / chunkBytes(exponent) > chunks) exponent += 1;
  return exponent;
}
