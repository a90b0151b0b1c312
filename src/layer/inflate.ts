import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { TsimgError } from "../sys/error.ts";
import { NodeDecompressor } from "./inflate-node.ts";
import { GZIP_WINDOW_BITS, SyncGunzip, type ZlibSync } from "./inflate-sync.ts";

export type Compression = "none" | "gzip" | "zstd";

/**
 * One layer's way from compressed to plain.
 *
 *     createDecompressor ──push()*──▶ finish ──▶ close
 *
 * One call at a time: the next only after the promise, where there is one. What `emit`
 * throws comes out of `push` or `finish` unchanged; after any error only `close` is left.
 */
export interface Decompressor {
  /**
   * Consumes `chunk`; all that it gives has gone to `emit` when this returns or resolves.
   * The chunk's memory is the caller's again then; that of what `emit` got, once `emit`
   * returns.
   * @throws TsimgError ERR_LAYER_CORRUPT, or ERR_LAYER_LIMIT over `maxOutputBytes`
   */
  push(chunk: Buffer): void | Promise<void>;
  /** No more input. @throws TsimgError ERR_LAYER_CORRUPT when the stream is cut short */
  finish(): void | Promise<void>;
  close(): void;
}

export interface DecompressorOptions {
  /** What the layer may give at most, in bytes. */
  readonly maxOutputBytes?: number;
  /** For gzip. Default: zlib-sync, the faster, where it works. */
  readonly engine?: "zlib-sync" | "node";
}

/**
 * gzip of any number of members, zeros after the last; zstd of any number of frames, with
 * skippable ones, and windows up to 128 MiB. Checksums are verified.
 *
 * @throws TsimgError ERR_BUILD when zlib-sync is asked for by name and doesn't work
 */
export function createDecompressor(
  compression: Compression,
  emit: (chunk: Buffer) => void,
  options: DecompressorOptions = {},
): Decompressor {
  const output = limited(emit, options.maxOutputBytes ?? Number.POSITIVE_INFINITY);
  if (compression === "none") return { push: output, finish: () => {}, close: () => {} };
  if (compression === "zstd" || options.engine === "node") {
    return new NodeDecompressor(compression, output);
  }
  const zlibSync = loadZlibSync();
  if (zlibSync !== undefined) return new SyncGunzip(zlibSync, output);
  if (options.engine === undefined) return new NodeDecompressor("gzip", output);
  throw new TsimgError("ERR_BUILD", "the addon 'zlib-sync' does not work with this Node", {
    hint: "run `npm rebuild zlib-sync` with the Node that runs tsimg",
  });
}

/** By the first four bytes; fewer are not enough for zstd. */
export function detectCompression(firstBytes: Uint8Array): Compression {
  const [first = 0, second = 0, third = 0, fourth = 0] = firstBytes;
  if (first === 0x1f && second === 0x8b) return "gzip";
  const tail = second * 0x1_0000 + third * 0x100 + fourth;
  if (first === 0x28 && tail === 0xb52ffd) return "zstd";
  // A skippable frame: zstd's seekable and chunked variants may begin with one.
  if (first >= 0x50 && first <= 0x5f && tail === 0x2a4d18) return "zstd";
  return "none";
}

function limited(emit: (chunk: Buffer) => void, maximum: number): (chunk: Buffer) => void {
  let total = 0;
  return (chunk) => {
    total += chunk.length;
    if (total > maximum) {
      throw new TsimgError(
        "ERR_LAYER_LIMIT",
        `layer unpacks to more than the limit 'maxOutputBytes' of ${maximum} bytes`,
        { hint: "raise the limit 'maxOutputBytes' if the layer is to be trusted" },
      );
    }
    emit(chunk);
  };
}

/**
 * The addon, if it is there and works: it is optional, may be unbuilt, or built for another
 * Node.
 */
export function loadZlibSync(): ZlibSync | undefined {
  try {
    const zlibSync = createRequire(import.meta.url)("zlib-sync") as ZlibSync;
    return gunzipsRightly(zlibSync) ? zlibSync : undefined;
  } catch {
    return undefined;
  }
}

function gunzipsRightly(zlibSync: ZlibSync): boolean {
  const plain = Buffer.alloc(3000, "tsimg ");
  const inflate = new zlibSync.Inflate({ chunkSize: 1024, windowBits: GZIP_WINDOW_BITS });
  inflate.push(gzipSync(plain), zlibSync.Z_SYNC_FLUSH);
  return inflate.err === zlibSync.Z_STREAM_END && inflate.result?.equals(plain) === true;
}
