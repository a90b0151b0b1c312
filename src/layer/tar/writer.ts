import { type ByteString, toBuffer } from "./byte-string.ts";
import { sumBytes } from "./checksum.ts";
import type { TarEntry, TarEntryType, TarTime } from "./entry.ts";
import { BLOCK_SIZE, FIELD } from "./fields.ts";
import { schilyXattrKey } from "./pax-xattr.ts";

const TYPE_FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: "0",
  link: "1",
  symlink: "2",
  char: "3",
  block: "4",
  dir: "5",
  fifo: "6",
};

/** The end marker: two blocks of zeros. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK_SIZE);

const ZEROS = Buffer.alloc(BLOCK_SIZE);

/** What follows a file's content, up to the next block. */
export function tarPadding(size: number): Buffer {
  return ZEROS.subarray(0, (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE);
}

/**
 * The header of `entry`: one ustar block where everything fits, with a PAX extended header
 * in front of it where not. The same entry always gives the same bytes.
 *
 * After it the caller writes `entry.size` bytes of content, `tarPadding(entry.size)`, and
 * TAR_END after the last entry. Names must hold no NUL.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const records = paxRecords(entry);
  const header = ustarBlock(entry);
  if (records.length === 0) return header;
  const content = Buffer.concat(records);
  return Buffer.concat([
    extendedBlock(content.length),
    content,
    tarPadding(content.length),
    header,
  ]);
}

function paxRecords(entry: TarEntry): Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Buffer): void => {
    records.push(paxRecord(key, typeof value === "string" ? Buffer.from(value, "latin1") : value));
  };
  const longPath = splitPath(entry.path) === undefined;
  const longLink = entry.linkPath.length > FIELD.linkName[1];
  // Without it readers are free to take values that are no UTF-8 for an error.
  if ((longPath && !isUtf8(entry.path)) || (longLink && !isUtf8(entry.linkPath))) {
    add("hdrcharset", "BINARY");
  }
  if (longPath) add("path", entry.path);
  if (longLink) add("linkpath", entry.linkPath);
  if (!fits(entry.size, FIELD.size)) add("size", String(entry.size));
  if (!fits(entry.uid, FIELD.uid)) add("uid", String(entry.uid));
  if (!fits(entry.gid, FIELD.gid)) add("gid", String(entry.gid));
  if (entry.mtime.nanoseconds !== 0 || !fits(entry.mtime.seconds, FIELD.mtime)) {
    add("mtime", paxTime(entry.mtime));
  }
  const names = [...entry.xattrs.keys()].sort();
  for (const name of names) add(schilyXattrKey(name), entry.xattrs.get(name) ?? "");
  return records;
}

/** `length key=value\n`, where length counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, "latin1"), value, Buffer.from("\n")]);
}

function paxTime({ seconds, nanoseconds }: TarTime): string {
  const negative = seconds < 0 && nanoseconds > 0;
  const whole = negative ? -(seconds + 1) : seconds;
  const fraction = String(negative ? 1e9 - nanoseconds : nanoseconds).padStart(9, "0");
  const digits = fraction.replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}${digits === "" ? "" : `.${digits}`}`;
}

function ustarBlock(entry: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  const [prefix, name] = splitPath(entry.path) ?? ["", shortened(entry.path)];
  writeString(block, FIELD.name, name);
  writeString(block, FIELD.prefix, prefix);
  writeString(block, FIELD.linkName, entry.linkPath.slice(0, FIELD.linkName[1]));
  writeNumber(block, FIELD.mode, entry.mode);
  writeNumber(block, FIELD.uid, entry.uid);
  writeNumber(block, FIELD.gid, entry.gid);
  writeNumber(block, FIELD.size, entry.size);
  writeNumber(block, FIELD.mtime, entry.mtime.seconds);
  writeNumber(block, FIELD.devMajor, entry.devMajor);
  writeNumber(block, FIELD.devMinor, entry.devMinor);
  return sealed(block, TYPE_FLAGS[entry.type]);
}

function extendedBlock(size: number): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  writeString(block, FIELD.name, "././@PaxHeader");
  for (const field of [FIELD.mode, FIELD.uid, FIELD.gid, FIELD.mtime]) writeNumber(block, field, 0);
  writeNumber(block, FIELD.size, size);
  return sealed(block, "x");
}

function sealed(block: Buffer, flag: string): Buffer {
  writeString(block, FIELD.type, flag);
  writeString(block, FIELD.magic, "ustar\x0000");
  writeString(block, FIELD.checksum, "        ");
  const words = new Uint32Array(new Uint8Array(block).buffer);
  writeString(block, FIELD.checksum, `${sumBytes(words).toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** Prefix and name in which ustar holds `path`; undefined when there is none. */
function splitPath(path: ByteString): readonly [prefix: string, name: string] | undefined {
  if (path.length <= FIELD.name[1]) return ["", path];
  const slash = path.lastIndexOf("/", FIELD.prefix[1]);
  const nameLength = path.length - slash - 1;
  if (slash <= 0 || nameLength === 0 || nameLength > FIELD.name[1]) return undefined;
  return [path.slice(0, slash), path.slice(slash + 1)];
}

/** For readers without PAX. Cut at a slash, the name would look like a directory's. */
function shortened(path: ByteString): string {
  return path.slice(0, FIELD.name[1]).replace(/\/+$/, "");
}

function fits(value: number, [, length]: readonly [number, number]): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

/** In octal; 0 where it doesn't fit, and a PAX record says the value. */
function writeNumber(block: Buffer, field: readonly [number, number], value: number): void {
  const digits = fits(value, field) ? value.toString(8) : "0";
  writeString(block, field, digits.padStart(field[1] - 1, "0"));
}

function writeString(block: Buffer, [offset, length]: readonly [number, number], text: string) {
  block.write(text, offset, length, "latin1");
}

function isUtf8(name: ByteString): boolean {
  const bytes = toBuffer(name);
  return bytes.equals(Buffer.from(bytes.toString("utf8")));
}
