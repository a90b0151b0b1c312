import { overLimit, TarFault } from "./fault.ts";
import { BLOCK_SIZE, readNumber } from "./fields.ts";
import type { TarLimits } from "./limits.ts";
import type { SparseMap } from "./sparse.ts";

/** Reads a sparse map that comes in blocks of its own. */
export interface SparseReader {
  readonly map: SparseMap;
  /** Whether the blocks are counted in the entry's stored size. */
  readonly inContent: boolean;
  /** @returns whether the map is complete; content begins with the next block */
  push(block: Buffer): boolean;
}

const HEADER_LAYOUT = { offset: 386, pairs: 4, more: 482 } as const;
const EXTENSION_LAYOUT = { offset: 0, pairs: 21, more: 504 } as const;
const PAIR_BYTES = 24;

/**
 * The old GNU format (type `S`): 4 pairs in the header block, which is the first to push,
 * then 21 in each of any number of extension blocks.
 */
export class OldSparseReader implements SparseReader {
  readonly inContent = false;
  readonly map: number[] = [];
  readonly #limits: TarLimits;
  #layout: typeof HEADER_LAYOUT | typeof EXTENSION_LAYOUT = HEADER_LAYOUT;

  constructor(limits: TarLimits) {
    this.#limits = limits;
  }

  push(block: Buffer): boolean {
    const { offset, pairs, more } = this.#layout;
    for (let at = offset; at < offset + pairs * PAIR_BYTES && block[at] !== 0; at += PAIR_BYTES) {
      this.map.push(readNumber(block, [at, 12], "sparse offset"));
      this.map.push(readNumber(block, [at + 12, 12], "sparse length"));
    }
    this.#layout = EXTENSION_LAYOUT;
    checkMapBytes((this.map.length / 2) * PAIR_BYTES, this.#limits);
    return block[more] === 0;
  }
}

/**
 * PAX format 1.0: the map fills whole blocks in front of the content, as decimal numbers,
 * each ended by a newline, the number of pairs first.
 */
export class ContentSparseReader implements SparseReader {
  readonly inContent = true;
  readonly map: number[] = [];
  readonly #limits: TarLimits;
  #expected = -1;
  #number = 0;
  #digits = 0;
  #bytes = 0;

  constructor(limits: TarLimits) {
    this.#limits = limits;
  }

  push(block: Buffer): boolean {
    this.#bytes += BLOCK_SIZE;
    checkMapBytes(this.#bytes, this.#limits);
    for (let at = 0; at < BLOCK_SIZE && this.map.length !== this.#expected; at++) {
      this.#digit(block[at] ?? 0);
    }
    return this.map.length === this.#expected;
  }

  #digit(byte: number): void {
    if (byte >= 0x30 && byte <= 0x39) {
      this.#number = this.#number * 10 + byte - 0x30;
      this.#digits++;
      return;
    }
    if (byte !== 0x0a || this.#digits === 0 || this.#number > Number.MAX_SAFE_INTEGER) {
      throw new TarFault("sparse map is not a list of decimal numbers");
    }
    if (this.#expected === -1) this.#expected = this.#number * 2;
    else this.map.push(this.#number);
    this.#number = 0;
    this.#digits = 0;
  }
}

function checkMapBytes(bytes: number, limits: TarLimits): void {
  if (bytes > limits.headerBytes) {
    throw overLimit(limits, "headerBytes", `sparse map has ${bytes} bytes`);
  }
}
