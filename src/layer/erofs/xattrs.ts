import { constants } from "node:os";
import { ErrnoError } from "../../sys/errno.ts";
import { MAX_XATTR_BYTES } from "./format.ts";

const HEADER = 12;
const ENTRY = 4;
const MAX_VALUE = 0xffff;

/** Prefixes that are stored as a number, and whether anything follows them. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ["user.", 1],
  ["system.posix_acl_access", 2],
  ["system.posix_acl_default", 3],
  ["trusted.", 4],
  ["security.", 6],
];

/** Bytes that attributes take behind an inode: a multiple of 4, 0 for none. */
export function xattrBytes(xattrs: ReadonlyMap<string, Buffer>): number {
  if (xattrs.size === 0) return 0;
  let bytes = HEADER;
  for (const [name, value] of xattrs) {
    if (value.length > MAX_VALUE) throw tooBig(name);
    bytes += entryBytes(splitName(name).rest.length, value.length);
    if (bytes > MAX_XATTR_BYTES) throw tooBig(name);
  }
  return bytes;
}

/** The value of an inode's field that counts its attributes' bytes. */
export function xattrCount(bytes: number): number {
  return bytes === 0 ? 0 : (bytes - HEADER) / 4 + 1;
}

export function xattrBytesOfCount(count: number): number {
  return count === 0 ? 0 : HEADER + (count - 1) * 4;
}

/** Writes attributes at `at`, where all is 0. */
export function writeXattrs(xattrs: ReadonlyMap<string, Buffer>, into: Buffer, at: number): void {
  let place = at + HEADER;
  for (const [name, value] of xattrs) {
    const { index, rest } = splitName(name);
    into.writeUInt8(rest.length, place);
    into.writeUInt8(index, place + 1);
    into.writeUInt16LE(value.length, place + 2);
    into.write(rest, place + ENTRY, "latin1");
    value.copy(into, place + ENTRY + rest.length);
    place += entryBytes(rest.length, value.length);
  }
}

/** Reads what `writeXattrs` wrote. @throws RangeError where it is something else */
export function readXattrs(bytes: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = HEADER; at < bytes.length; ) {
    const nameLength = bytes.readUInt8(at);
    const index = bytes.readUInt8(at + 1);
    const valueLength = bytes.readUInt16LE(at + 2);
    const prefix = PREFIXES.find((each) => each[1] === index)?.[0];
    const next = at + entryBytes(nameLength, valueLength);
    if (prefix === undefined || next > bytes.length) throw new RangeError("no attributes");
    const name = at + ENTRY;
    const value = name + nameLength;
    found.set(
      prefix + bytes.toString("latin1", name, value),
      Buffer.from(bytes.subarray(value, value + valueLength)),
    );
    at = next;
  }
  return found;
}

function entryBytes(nameLength: number, valueLength: number): number {
  return (ENTRY + nameLength + valueLength + 3) & ~3;
}

function splitName(name: string): { readonly index: number; readonly rest: string } {
  for (const [prefix, index] of PREFIXES)
    if (name.startsWith(prefix)) return { index, rest: name.slice(prefix.length) };
  throw new ErrnoError("setxattr", constants.errno.EOPNOTSUPP, { path: name });
}

function tooBig(name: string): ErrnoError {
  return new ErrnoError("setxattr", constants.errno.E2BIG, { path: name });
}
