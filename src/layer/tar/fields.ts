import { type ByteString, toByteString } from "./byte-string.ts";
import { TarFault } from "./fault.ts";

export const BLOCK_SIZE = 512;

/** Offset and length of each header field. @see POSIX.1-2017 pax, "ustar Interchange Format" */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  devMajor: [329, 8],
  devMinor: [337, 8],
  prefix: [345, 155],
  gnuRealSize: [483, 12],
} as const satisfies Record<string, readonly [offset: number, length: number]>;

type Field = readonly [offset: number, length: number];

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;
const NINE = 0x39;
const BASE_256 = 0x80;
const NEGATIVE_256 = 0xff;

/** A NUL-terminated name; one that fills its field has no NUL. */
export function readString(block: Buffer, [offset, length]: Field): ByteString {
  const limit = offset + length;
  let end = offset;
  while (end < limit && block[end] !== 0) end++;
  return toByteString(block, offset, end);
}

/**
 * A number in octal, between spaces or NULs, or in GNU's base 256; an empty field is 0.
 * @throws TarFault when it is neither, or no safe integer
 */
export function readNumber(block: Buffer, field: Field, what: string): number {
  const [offset, length] = field;
  const limit = offset + length;
  let at = offset;
  let byte = block[at] ?? 0;
  if (byte >= BASE_256) return readBase256(block, field, what);
  while (at < limit && (byte === SPACE || byte === 0)) byte = block[++at] ?? 0;
  let value = 0;
  while (at < limit && byte >= ZERO && byte <= SEVEN) {
    value = value * 8 + (byte - ZERO);
    byte = block[++at] ?? 0;
  }
  while (at < limit && byte === SPACE) byte = block[++at] ?? 0;
  if (at < limit && byte !== 0) throw new TarFault(`${what} is not an octal number`);
  return value;
}

/** Two's complement, big endian; the first byte's top bit is the mark, the next one the sign. */
function readBase256(block: Buffer, [offset, length]: Field, what: string): number {
  const first = block[offset] ?? 0;
  const negative = (first & 0x40) !== 0;
  const flip = negative ? NEGATIVE_256 : 0;
  let value = (first ^ flip) & 0x7f;
  for (let at = offset + 1; at < offset + length; at++) {
    value = value * 256 + ((block[at] ?? 0) ^ flip);
  }
  if (value >= Number.MAX_SAFE_INTEGER) throw new TarFault(`${what} is out of range`);
  return negative ? -value - 1 : value;
}

/**
 * Digits only, or one minus and digits.
 * @throws TarFault when it is anything else, or no safe integer
 */
export function readDecimal(bytes: Buffer, start: number, end: number, what: string): number {
  const negative = bytes[start] === 0x2d;
  const digits = negative ? start + 1 : start;
  let value = 0;
  for (let at = digits; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) throw new TarFault(`${what} is not a decimal number`);
    value = value * 10 + (byte - ZERO);
  }
  if (digits >= end) throw new TarFault(`${what} is not a decimal number`);
  if (value > Number.MAX_SAFE_INTEGER) throw new TarFault(`${what} is out of range`);
  return negative && value !== 0 ? -value : value;
}

/** @throws TarFault unless `minimum <= value <= maximum` */
export function checkRange(value: number, minimum: number, maximum: number, what: string): number {
  if (value < minimum || value > maximum) {
    throw new TarFault(`${what} ${value} is out of range`);
  }
  return value;
}
