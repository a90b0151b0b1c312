import { type ByteString, toByteString } from "./byte-string.ts";
import type { TarTime } from "./entry.ts";
import { overLimit, TarFault } from "./fault.ts";
import { readDecimal } from "./fields.ts";
import type { TarLimits } from "./limits.ts";
import { LIBARCHIVE_XATTR, libarchiveXattr, SCHILY_XATTR, schilyXattrName } from "./pax-xattr.ts";

/** What extended headers say about an entry. Absent: the header block's own field holds. */
export interface PaxRecords {
  path?: ByteString | undefined;
  linkPath?: ByteString | undefined;
  size?: number | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  mtime?: TarTime | undefined;
  xattrs?: Map<ByteString, Buffer> | undefined;
  sparse?: PaxSparse | undefined;
}

/** GNU's `GNU.sparse.*` records, by the last part of their names. */
export interface PaxSparse {
  major?: ByteString;
  minor?: ByteString;
  name?: ByteString;
  /** Size of the file with its holes: `size` in formats 0.0 and 0.1, `realsize` in 1.0. */
  size?: number;
  numblocks?: number;
  /** Offset and length in turn: format 0.1 as one record, 0.0 as a record for each number. */
  map?: number[];
}

/**
 * Reads one extended header. Later records win; an empty value removes the record, one of a
 * global header included.
 *
 * @param inherited  what global headers said; stays as it is
 * @throws TarFault
 * @see POSIX.1-2017 pax, "pax Extended Header"
 */
export function readPaxRecords(
  bytes: Buffer,
  inherited: PaxRecords | undefined,
  limits: TarLimits,
): PaxRecords {
  const records: PaxRecords = { ...inherited };
  let start = 0;
  while (start < bytes.length) {
    const keyStart = indexOfByte(bytes, 0x20, start, bytes.length) + 1;
    if (keyStart === 0) throw new TarFault("PAX record has no length");
    const end = start + readDecimal(bytes, start, keyStart - 1, "PAX record length");
    if (end > bytes.length || end <= keyStart || bytes[end - 1] !== 0x0a) {
      throw new TarFault("PAX record does not end where its length says");
    }
    const equals = indexOfByte(bytes, 0x3d, keyStart, end);
    if (equals <= keyStart) throw new TarFault("PAX record has no keyword");
    const key = toByteString(bytes, keyStart, equals);
    if (key.includes("\0")) throw new TarFault("PAX keyword has a NUL in it");
    applyRecord(records, key, bytes, equals + 1, end - 1, inherited);
    start = end;
  }
  checkXattrBytes(records, limits);
  return records;
}

/** Bytes that `records` keep alive, roughly: what every later entry pays for a global header. */
export function paxRecordBytes(records: PaxRecords): number {
  return (records.path?.length ?? 0) + (records.linkPath?.length ?? 0) + xattrBytes(records);
}

function applyRecord(
  records: PaxRecords,
  key: ByteString,
  bytes: Buffer,
  start: number,
  end: number,
  inherited: PaxRecords | undefined,
): void {
  const empty = start === end;
  switch (key as string) {
    case "path":
      records.path = empty ? undefined : readName(bytes, start, end, "path");
      return;
    case "linkpath":
      records.linkPath = empty ? undefined : readName(bytes, start, end, "linkpath");
      return;
    case "size":
      records.size = empty ? undefined : readDecimal(bytes, start, end, "PAX size");
      return;
    case "uid":
      records.uid = empty ? undefined : readDecimal(bytes, start, end, "PAX uid");
      return;
    case "gid":
      records.gid = empty ? undefined : readDecimal(bytes, start, end, "PAX gid");
      return;
    case "mtime":
      records.mtime = empty ? undefined : readPaxTime(bytes, start, end);
      return;
  }
  if (key.startsWith(SCHILY_XATTR)) {
    setXattr(records, schilyXattrName(key), Buffer.from(bytes.subarray(start, end)), inherited);
  } else if (key.startsWith(LIBARCHIVE_XATTR)) {
    const [name, value] = libarchiveXattr(key, toByteString(bytes, start, end));
    setXattr(records, name, value, inherited);
  } else if (key.startsWith("GNU.sparse.")) {
    records.sparse ??= {};
    applySparse(records.sparse, key.slice("GNU.sparse.".length), bytes, start, end);
  }
}

/**
 * An empty value takes an inherited attribute away. Where there is none to take away, it is
 * an attribute with an empty value: GNU tar and bsdtar write that so.
 */
function setXattr(
  records: PaxRecords,
  name: ByteString,
  value: Buffer,
  inherited: PaxRecords | undefined,
): void {
  if (name === "" || name.includes("\0")) {
    throw new TarFault("extended attribute has no usable name");
  }
  if (records.xattrs === undefined || records.xattrs === inherited?.xattrs) {
    records.xattrs = new Map(records.xattrs);
  }
  if (value.length === 0 && inherited?.xattrs?.has(name)) records.xattrs.delete(name);
  else records.xattrs.set(name, value);
}

function applySparse(
  sparse: PaxSparse,
  key: string,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  switch (key) {
    case "major":
    case "minor":
      sparse[key] = toByteString(bytes, start, end);
      return;
    case "name":
      sparse.name = readName(bytes, start, end, "GNU.sparse.name");
      return;
    case "size":
    case "realsize":
      sparse.size = readDecimal(bytes, start, end, `GNU.sparse.${key}`);
      return;
    case "numblocks":
      sparse.numblocks = readDecimal(bytes, start, end, "GNU.sparse.numblocks");
      return;
    case "map":
      sparse.map = readNumberList(bytes, start, end);
      return;
    case "offset":
    case "numbytes": {
      sparse.map ??= [];
      const expected = sparse.map.length % 2 === 0 ? "offset" : "numbytes";
      if (key !== expected) throw new TarFault("GNU.sparse.offset and numbytes do not alternate");
      sparse.map.push(readDecimal(bytes, start, end, `GNU.sparse.${key}`));
    }
  }
}

function readNumberList(bytes: Buffer, start: number, end: number): number[] {
  const numbers: number[] = [];
  let from = start;
  while (from < end) {
    const comma = indexOfByte(bytes, 0x2c, from, end);
    const to = comma === -1 ? end : comma;
    numbers.push(readDecimal(bytes, from, to, "GNU.sparse.map"));
    from = to + 1;
  }
  return numbers;
}

function readName(bytes: Buffer, start: number, end: number, what: string): ByteString {
  const name = toByteString(bytes, start, end);
  if (name.includes("\0")) throw new TarFault(`PAX ${what} has a NUL in it`);
  return name;
}

/** Seconds with an optional fraction; digits beyond nanoseconds are cut off. */
function readPaxTime(bytes: Buffer, start: number, end: number): TarTime {
  const dot = indexOfByte(bytes, 0x2e, start, end);
  const secondsEnd = dot === -1 ? end : dot;
  const seconds = readDecimal(bytes, start, secondsEnd, "PAX mtime");
  if (secondsEnd + 1 >= end) return { seconds, nanoseconds: 0 };
  const fraction = toByteString(bytes, secondsEnd + 1, end);
  if (/[^0-9]/.test(fraction)) throw new TarFault("PAX mtime is not a decimal number");
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (bytes[start] !== 0x2d || nanoseconds === 0) return { seconds, nanoseconds };
  return { seconds: seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

function checkXattrBytes(records: PaxRecords, limits: TarLimits): void {
  const bytes = xattrBytes(records);
  if (bytes > limits.xattrBytes) {
    throw overLimit(limits, "xattrBytes", `extended attributes have ${bytes} bytes`);
  }
}

function xattrBytes(records: PaxRecords): number {
  let bytes = 0;
  for (const [name, value] of records.xattrs ?? []) bytes += name.length + value.length;
  return bytes;
}

/** Unlike `Buffer.indexOf` it stops at `end`: many short records must not each scan the rest. */
function indexOfByte(bytes: Buffer, byte: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === byte) return at;
  return -1;
}
