import { crc32 } from "node:zlib";
import type { Decompressor } from "./inflate.ts";
import { NodeDecompressor } from "./inflate-node.ts";
import { checkTrailing, corruptStream, isZero } from "./inflate-trailing.ts";

/** The part of the zlib-sync addon that is used. */
export interface ZlibSync {
  readonly Inflate: new (options: { chunkSize: number; windowBits: number }) => ZlibSyncInflate;
  readonly Z_SYNC_FLUSH: number;
  readonly Z_STREAM_END: number;
}

interface ZlibSyncInflate {
  /** Takes all of `chunk`, a Buffer: anything else crashes the process. */
  push(chunk: Buffer, flush: number): void;
  /** zlib's status: negative for an error. */
  readonly err: number;
  readonly msg: string | null;
  /** A copy of what the last push gave; a new one each time it is read. */
  readonly result: Buffer | null;
}

/**
 * Input of one push. The addon gathers all that it gives, and zlib can make a thousand bytes
 * of one: after a large output slices are small again, and double from there.
 */
const SLICE_SIZE = 32 * 1024;
const SMALLEST_SLICE = 1024;
const LARGE_OUTPUT = 1024 * 1024;
const OUTPUT_SIZE = 128 * 1024;
/** 15 for the window, 16 for "gzip only". */
export const GZIP_WINDOW_BITS = 31;
/** Header 10, empty deflate stream 2, trailer 8. */
const SMALLEST_MEMBER = 20;
/** Checksum and length, four bytes each. */
const TRAILER = 8;
/** Output whose checksum is kept. Above, the length has few zeros, and the time would count. */
const SMALL_MEMBER = 1024 * 1024;

/**
 * gzip by the zlib-sync addon, on this thread. Nearly every layer is one gzip member, and
 * that is what it decodes; what follows a first member, if anything does, is node:zlib's,
 * since the addon keeps the memory of every object it ever made.
 *
 * The addon doesn't tell how much input it took. So the last byte of the input is held back:
 * a stream that ends before it has something behind. Where that begins is then searched for
 * by the member's trailer: by its checksum and length, of a large one by its length alone. That
 * could be found too early only if the compressed data itself holds it, followed by what looks
 * like a gzip header or padding; it makes an error or a wrong diffID, never a wrong layer.
 */
export class SyncGunzip implements Decompressor {
  readonly #zlibSync: ZlibSync;
  readonly #inflate: ZlibSyncInflate;
  readonly #emit: (chunk: Buffer) => void;
  #sliceSize = SMALLEST_SLICE;
  #heldBack: Buffer | undefined;
  /** The bytes before the next slice: a trailer may lie across. */
  #before = Buffer.alloc(TRAILER - 1);
  #inputBytes = 0;
  #outputBytes = 0;
  /** Of the output, while that is small. */
  #checksum = 0;
  #rest: Decompressor | undefined;

  constructor(zlibSync: ZlibSync, emit: (chunk: Buffer) => void) {
    this.#zlibSync = zlibSync;
    this.#emit = emit;
    this.#inflate = new zlibSync.Inflate({
      chunkSize: OUTPUT_SIZE,
      windowBits: GZIP_WINDOW_BITS,
    });
  }

  push(chunk: Buffer): void | Promise<void> {
    if (this.#rest !== undefined) return this.#rest.push(chunk);
    if (chunk.length === 0) return;
    if (this.#heldBack !== undefined && this.#feed(this.#heldBack) !== undefined) {
      return this.#handOver(chunk);
    }
    const last = chunk.length - 1;
    for (let at = 0; at < last; ) {
      const slice = chunk.subarray(at, Math.min(last, at + this.#sliceSize));
      const end = this.#feed(slice);
      if (end !== undefined) return this.#handOver(chunk.subarray(at + end));
      at += slice.length;
    }
    this.#heldBack = Buffer.of(chunk[last] ?? 0);
  }

  finish(): void | Promise<void> {
    if (this.#rest !== undefined) return this.#rest.finish();
    if (this.#heldBack === undefined || this.#feed(this.#heldBack) === undefined) {
      throw corruptStream("gzip", "is cut short");
    }
  }

  close(): void {
    this.#rest?.close();
  }

  /** @returns the end of the member in `slice`, if it is there */
  #feed(slice: Buffer): number | undefined {
    this.#inflate.push(slice, this.#zlibSync.Z_SYNC_FLUSH);
    const { err, result } = this.#inflate;
    if (err < 0 || result === null) {
      throw corruptStream("gzip", `is corrupt: ${this.#inflate.msg}`);
    }
    this.#outputBytes += result.length;
    if (this.#outputBytes <= SMALL_MEMBER) this.#checksum = crc32(result, this.#checksum);
    if (result.length > LARGE_OUTPUT) this.#sliceSize = SMALLEST_SLICE;
    else this.#sliceSize = Math.min(SLICE_SIZE, this.#sliceSize * 2);
    if (result.length > 0) this.#emit(result);
    const end = err === this.#zlibSync.Z_STREAM_END ? this.#memberEnd(slice) : undefined;
    this.#inputBytes += slice.length;
    const last = Buffer.concat([this.#before, slice.subarray(1 - TRAILER)]);
    this.#before = Buffer.from(last.subarray(1 - TRAILER));
    return end;
  }

  #memberEnd(slice: Buffer): number {
    const bytes = Buffer.concat([this.#before, slice]);
    const trailer = Buffer.alloc(TRAILER);
    trailer.writeUInt32LE(this.#checksum, 0);
    trailer.writeUInt32LE(this.#outputBytes % 2 ** 32, 4);
    const known = this.#outputBytes <= SMALL_MEMBER ? trailer : trailer.subarray(4);
    // In `bytes`, the trailer ends TRAILER - 1 bytes later than in the slice.
    const after = (end: number) => end + TRAILER - 1;
    const isEnd = (end: number) =>
      end <= slice.length &&
      bytes.subarray(after(end) - known.length, after(end)).equals(known) &&
      mayFollow(slice.subarray(end));
    let end = Math.max(1, SMALLEST_MEMBER - this.#inputBytes);
    while (end <= slice.length && !isEnd(end)) end++;
    if (end > slice.length) throw corruptStream("gzip", "is followed by something else");
    // The trailer of an empty member is zeros, and a zero may stand before it.
    while (isEnd(end + 1)) end++;
    return end;
  }

  #handOver(bytes: Buffer): void | Promise<void> {
    this.#rest = bytes[0] === 0 ? new ZeroPadding() : new NodeDecompressor("gzip", this.#emit);
    return this.#rest.push(bytes);
  }
}

/** What stands behind a gzip member: nothing, padding, or the next one's header. */
function mayFollow(bytes: Buffer): boolean {
  if (bytes[0] === 0) return isZero(bytes);
  return [0x1f, 0x8b, 0x08].every((byte, at) => at >= bytes.length || bytes[at] === byte);
}

class ZeroPadding implements Decompressor {
  push(chunk: Buffer): void {
    checkTrailing("gzip", chunk);
  }

  finish(): void {}

  close(): void {}
}
