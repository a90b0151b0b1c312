import { BLOCK_SIZE, FIELD, readNumber } from "./fields.ts";

const [CHECKSUM_OFFSET, CHECKSUM_LENGTH] = FIELD.checksum;
const CHECKSUM_END = CHECKSUM_OFFSET + CHECKSUM_LENGTH;
const SPACE = 0x20;
const LANES = 0x00ff00ff;

/**
 * Sum of a block's bytes. `words` is the block as 128 machine words: two bytes of each are
 * added at once, in 16-bit lanes that can't overflow (128 × 255 < 65,536).
 */
export function sumBytes(words: Uint32Array): number {
  let even = 0;
  let odd = 0;
  for (let at = 0; at < BLOCK_SIZE / 4; at++) {
    const word = words[at] ?? 0;
    even = (even + (word & LANES)) | 0;
    odd = (odd + ((word >>> 8) & LANES)) | 0;
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}

/**
 * Whether the checksum that a header states fits its bytes, whose sum is `sum`. The
 * checksum's own field counts as spaces. Some old writers summed signed chars.
 */
export function checksumMatches(block: Buffer, sum: number): boolean {
  const stated = readNumber(block, FIELD.checksum, "header checksum");
  let expected = sum + CHECKSUM_LENGTH * SPACE;
  for (let at = CHECKSUM_OFFSET; at < CHECKSUM_END; at++) expected -= block[at] ?? 0;
  return stated === expected || stated === expected - 256 * negativeBytes(block);
}

function negativeBytes(block: Buffer): number {
  let count = 0;
  for (let at = 0; at < BLOCK_SIZE; at++) {
    const inChecksum = at >= CHECKSUM_OFFSET && at < CHECKSUM_END;
    if (!inChecksum && (block[at] ?? 0) >= 0x80) count++;
  }
  return count;
}
