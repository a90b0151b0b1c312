import { closeSync, openSync, writeSync } from "node:fs";

/** A block of a file: what file systems compress, share and copy by. */
const BLOCK = 4096;
const CHUNK = 1 << 20;

/** The share of every generated block that no compression can shorten. */
export const RANDOM_SHARE = 0.5;

/**
 * Contents of files: the same for the same seed, no block equal to another one, half of each
 * incompressible, so that gzip, lz4 and zstd all halve it.
 */
export class Content {
  private readonly pattern: Buffer;
  private blocks = 0;

  constructor(seed: number) {
    this.pattern = Buffer.alloc(CHUNK);
    const random = randomWords(seed);
    for (let block = 0; block < CHUNK; block += BLOCK)
      for (let at = 0; at < BLOCK * RANDOM_SHARE; at += 4)
        this.pattern.writeUInt32LE(random(), block + at);
  }

  /** Content for one file, valid until the next call: it is at most 1 MiB long. */
  next(size: number): Buffer {
    if (size > CHUNK) throw new RangeError(`${size} bytes are more than one chunk`);
    for (let at = 0; at + 8 <= size; at += BLOCK) {
      this.blocks += 1;
      this.pattern.writeDoubleLE(this.blocks, at);
    }
    return this.pattern.subarray(0, size);
  }

  /** Makes a file. It must not be there. */
  write(path: string, size: number): void {
    const fd = openSync(path, "wx", 0o644);
    try {
      for (let done = 0; done < size; done += CHUNK)
        writeSync(fd, this.next(Math.min(CHUNK, size - done)));
    } finally {
      closeSync(fd);
    }
  }
}

/** Evenly distributed 32-bit words. @see Marsaglia, "Xorshift RNGs" (2003) */
export function randomWords(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
