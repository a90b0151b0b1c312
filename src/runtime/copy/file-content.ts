import { type BigIntStats, ftruncateSync, readSync, writeSync } from "node:fs";
import { dataRanges } from "../../sys/sparse-file.ts";

const CHUNK = 1 << 20;
/** Files of the kernel say that they have 0 bytes: this much of one is read. */
const MOST_WITHOUT_SIZE = 1 << 20;
/** Bytes in one of `stats.blocks`. */
const BLOCK = 512n;

/** Whether a file has holes worth keeping. */
export function isSparse({ blocks, size }: BigIntStats): boolean {
  return blocks * BLOCK < size;
}

/**
 * Copies a file's content, holes as holes: what it has now, at most what it had when `stats`
 * was asked for, so that one that grows without end has an end.
 *
 * @returns bytes copied, holes left out
 */
export function copyContent(from: number, to: number, stats: BigIntStats): number {
  const size = Number(stats.size);
  if (size === 0) return copyRange(from, to, 0, MOST_WITHOUT_SIZE);
  if (!isSparse(stats)) return copyRange(from, to, 0, size);
  let copied = 0;
  for (const { start, end } of dataRanges(from, { path: "" })) {
    if (start >= size) break;
    copied += copyRange(from, to, start, Math.min(end, size));
  }
  ftruncateSync(to, size);
  return copied;
}

function copyRange(from: number, to: number, start: number, end: number): number {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, end - start));
  for (let at = start; at < end; ) {
    const piece = readAt(from, at, buffer.subarray(0, Math.min(CHUNK, end - at)));
    if (piece.length === 0) return at - start;
    writeAt(to, piece, at);
    at += piece.length;
  }
  return end - start;
}

/** Fills `buffer` as far as one read does. @returns the part that it filled */
export function readAt(fd: number, position: number, buffer: Buffer): Buffer {
  return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, position));
}

export function writeAt(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
