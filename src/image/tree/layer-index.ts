import { closeSync, openSync, readSync } from "node:fs";
import { createDecompressor } from "../../layer/inflate.ts";
import type { ByteString } from "../../layer/tar/byte-string.ts";
import type { TarEntryType } from "../../layer/tar/entry.ts";
import { TarParser } from "../../layer/tar/parser.ts";
import type { LayerCompression } from "../../oci/media-types.ts";

/** What one entry of a layer's archive is about, whiteouts too. */
export interface IndexEntry {
  /** As the archive writes it. */
  readonly path: ByteString;
  readonly type: TarEntryType;
  /** Bytes of a file, holes included. */
  readonly size: number;
  /** What a `link` or `symlink` points to. */
  readonly target: ByteString;
}

/** A layer's entries in archive order. */
export type LayerIndex = readonly IndexEntry[];

const INPUT = 256 * 1024;

/**
 * Reads a layer's blob for the names that are in it.
 *
 * Only for layers that were unpacked before: those are known to inflate to a size within the
 * limits. node:zlib does it, since zlib-sync never gives back what it takes for a layer.
 *
 * @throws TsimgError ERR_LAYER_CORRUPT, ERR_LAYER_LIMIT
 */
export async function indexLayer(blob: string, compression: LayerCompression): Promise<LayerIndex> {
  const entries: IndexEntry[] = [];
  const parser = new TarParser({
    entry: ({ path, type, size, linkPath }) => {
      entries.push({ path, type, size, target: linkPath });
    },
    data: () => {},
    entryEnd: () => {},
  });
  const emit = (chunk: Buffer) => parser.push(chunk);
  const decompressor = createDecompressor(compression, emit, { engine: "node" });
  const file = openSync(blob, "r");
  try {
    const buffer = Buffer.allocUnsafe(INPUT);
    for (;;) {
      const count = readSync(file, buffer, 0, INPUT, null);
      if (count === 0) break;
      await decompressor.push(buffer.subarray(0, count));
    }
    await decompressor.finish();
    parser.end();
  } finally {
    decompressor.close();
    closeSync(file);
  }
  return entries;
}

/** Bytes of a layer's files, holes included. */
export function bytesOf(index: LayerIndex): number {
  return index.reduce((sum, { type, size }) => sum + (type === "file" ? size : 0), 0);
}
