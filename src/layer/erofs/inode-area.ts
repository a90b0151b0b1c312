import { readSync, writeSync } from "node:fs";
import type { BlockStream } from "./block-stream.ts";
import { BLOCK, SLOT } from "./format.ts";

/** Blocks of a chunk: more than the largest inode with its attributes takes. */
const CHUNK_BLOCKS = 128;
const CHUNK = CHUNK_BLOCKS * BLOCK;
const SLOTS = CHUNK / SLOT;

/** Where a chunk of inodes ended up in the image. */
export interface ChunkPlace {
  readonly block: number;
  readonly blocks: number;
}

/**
 * Inodes with their attributes and tails, packed into blocks. A chunk of them is gathered in
 * memory and then appended to the image, in the midst of the data. An inode's place is known
 * before its chunk's: as a slot in the series of all chunks.
 */
export class InodeArea {
  private readonly fd: number;
  private readonly stream: BlockStream;
  private readonly written: ChunkPlace[];
  private readonly chunk = Buffer.alloc(CHUNK);
  /** Bytes used of each block. */
  private readonly used = new Uint16Array(CHUNK_BLOCKS);
  private blocks = 0;
  /** What is at least of this size fits in no block but the last, so none is asked again. */
  private unfit = BLOCK + 1;

  /** @param written chunks that are in the image */
  constructor(fd: number, stream: BlockStream, written: readonly ChunkPlace[] = []) {
    this.fd = fd;
    this.stream = stream;
    this.written = [...written];
  }

  get chunks(): readonly ChunkPlace[] {
    return this.written;
  }

  /**
   * Makes room for `bytes`, all in one block if they fit in one. `write` gets the memory,
   * where it is, and the place. The stream must be at the start of a block.
   */
  add(bytes: number, write: (into: Buffer, at: number, place: number) => void): number {
    const at = this.room(bytes);
    const place = this.written.length * SLOTS + at / SLOT;
    write(this.chunk, at, place);
    return place;
  }

  /** The number of the inode at a place. @throws RangeError before its chunk is written */
  number(place: number): number {
    const chunk = this.written[Math.floor(place / SLOTS)];
    if (chunk === undefined) throw new RangeError(`inode ${place} is not written`);
    return (chunk.block * BLOCK) / SLOT + (place % SLOTS);
  }

  /** Whether a place is within what there is. */
  holds(place: number): boolean {
    const index = Math.floor(place / SLOTS);
    const blocks = index === this.written.length ? this.blocks : this.written[index]?.blocks;
    return (place % SLOTS) * SLOT < (blocks ?? 0) * BLOCK;
  }

  /** Up to `bytes` bytes from a place on; fewer at its chunk's end. */
  read(place: number, offset: number, bytes: number): Buffer {
    const at = (place % SLOTS) * SLOT + offset;
    const chunk = this.written[Math.floor(place / SLOTS)];
    if (chunk === undefined) return Buffer.from(this.chunk.subarray(at, at + bytes));
    const length = Math.max(0, Math.min(bytes, chunk.blocks * BLOCK - at));
    const found = Buffer.alloc(length);
    const count = readSync(this.fd, found, 0, length, chunk.block * BLOCK + at);
    return found.subarray(0, count);
  }

  /** Changes what is at a place. */
  patch(place: number, offset: number, bytes: Buffer): void {
    const at = (place % SLOTS) * SLOT + offset;
    const chunk = this.written[Math.floor(place / SLOTS)];
    if (chunk === undefined) bytes.copy(this.chunk, at);
    else writeSync(this.fd, bytes, 0, bytes.length, chunk.block * BLOCK + at);
  }

  /** Appends the chunk in memory to the image. */
  flush(): void {
    const { blocks } = this;
    if (blocks === 0) return;
    const { block } = this.stream;
    this.stream.write(this.chunk.subarray(0, blocks * BLOCK));
    this.written.push({ block, blocks });
    this.chunk.fill(0, 0, blocks * BLOCK);
    this.used.fill(0);
    this.blocks = 0;
    this.unfit = BLOCK + 1;
  }

  private room(bytes: number): number {
    const size = Math.ceil(bytes / SLOT) * SLOT;
    if (size > BLOCK) return this.blocksOf(size);
    const last = this.blocks - 1;
    for (let block = size < this.unfit ? 0 : last; block >= 0 && block <= last; block++)
      if (this.left(block) >= size) return this.take(block, size);
    if (last >= 0) this.unfit = Math.max(Math.min(this.unfit, size), this.left(last) + 1);
    if (this.blocks === CHUNK_BLOCKS) this.flush();
    return this.take(this.blocks++, size);
  }

  private left(block: number): number {
    return BLOCK - (this.used[block] ?? BLOCK);
  }

  private take(block: number, size: number): number {
    const used = this.used[block] ?? 0;
    this.used[block] = used + size;
    return block * BLOCK + used;
  }

  /** Room across blocks, at the start of one. */
  private blocksOf(size: number): number {
    const count = Math.ceil(size / BLOCK);
    if (this.blocks + count > CHUNK_BLOCKS) this.flush();
    const first = this.blocks;
    this.unfit = BLOCK + 1;
    this.blocks += count;
    this.used.fill(BLOCK, first, this.blocks - 1);
    this.used[this.blocks - 1] = size - (count - 1) * BLOCK;
    return first * BLOCK;
  }
}
