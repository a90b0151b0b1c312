import type { ByteString } from "./byte-string.ts";
import type { TarEntry, TarEntryType } from "./entry.ts";
import { overLimit, TarFault } from "./fault.ts";
import { checkRange, FIELD, readNumber, readString } from "./fields.ts";
import type { TarLimits } from "./limits.ts";
import type { EntryOverrides } from "./overrides.ts";
import type { PaxRecords } from "./pax.ts";

/** Which fields a header block has beyond those of the seventh edition of Unix. */
export type HeaderFormat = "v7" | "ustar" | "gnu";

export const TYPE_FLAG = {
  oldFile: 0,
  gnuDumpDir: 0x44,
  gnuContinued: 0x4d,
  gnuSparse: 0x53,
  gnuVolumeLabel: 0x56,
} as const;

const TYPES: ReadonlyMap<number, TarEntryType> = new Map([
  [0x31, "link"],
  [0x32, "symlink"],
  [0x33, "char"],
  [0x34, "block"],
  [0x35, "dir"],
  [TYPE_FLAG.gnuDumpDir, "dir"],
  [0x36, "fifo"],
]);

const SLASH = 0x2f;
const MAX_ID = 2 ** 32 - 2;
const MAX_MAJOR = 2 ** 12 - 1;
const MAX_MINOR = 2 ** 20 - 1;
/** Star's ustar blocks end like this, and keep atime and ctime in the end of the prefix. */
const STAR_TRAILER = 508;
const STAR_PREFIX = [FIELD.prefix[0], 131] as const;
const GNU_TIMES = [
  [345, 12],
  [357, 12],
] as const;

export const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();
const NO_NAME = "" as ByteString;

export function headerFormat(block: Buffer): HeaderFormat {
  const magic = FIELD.magic[0];
  if (block[magic] !== 0x75 || block.toString("latin1", magic, magic + 5) !== "ustar") return "v7";
  if (block[magic + 5] === 0) return "ustar";
  return block.toString("latin1", magic + 5, magic + 8) === "  \0" ? "gnu" : "v7";
}

/** @throws TarFault when the path is empty or too long */
export function entryPath(
  block: Buffer,
  format: HeaderFormat,
  overrides: EntryOverrides,
  limits: TarLimits,
): ByteString {
  const path =
    overrides.pax?.sparse?.name ||
    overrides.longName ||
    overrides.pax?.path ||
    blockPath(block, format);
  if (path === "") throw new TarFault("path is empty");
  checkPathLength(path, limits, "path");
  return path;
}

function blockPath(block: Buffer, format: HeaderFormat): ByteString {
  const name = readString(block, FIELD.name);
  if (format === "v7" || block[FIELD.prefix[0]] === 0) return name;
  if (format === "gnu" && !isMisplacedPrefix(block)) return name;
  const star = block.toString("latin1", STAR_TRAILER, STAR_TRAILER + 4) === "tar\0";
  const prefix = readString(block, star && format === "ustar" ? STAR_PREFIX : FIELD.prefix);
  return prefix === "" ? name : (`${prefix}/${name}` as ByteString);
}

/**
 * GNU blocks have times where ustar has the prefix. Go before 1.8 wrote a prefix there all
 * the same, and images made then are still pulled: what is text and no times is a prefix.
 */
function isMisplacedPrefix(block: Buffer): boolean {
  try {
    for (const field of GNU_TIMES) readNumber(block, field, "time");
    return false;
  } catch {
    return /^[^\0\x80-\xff]+$/.test(readString(block, FIELD.prefix));
  }
}

/**
 * The type of an entry by its flag. A flag that nobody has defined is a regular file, as
 * POSIX wants and GNU tar does; a flag of NUL with a path that ends in a slash is how the
 * seventh edition wrote directories.
 */
export function entryType(flag: number, path: ByteString): TarEntryType {
  const type = TYPES.get(flag);
  if (type !== undefined) return type;
  const oldDirectory = flag === TYPE_FLAG.oldFile && path.charCodeAt(path.length - 1) === SLASH;
  return oldDirectory ? "dir" : "file";
}

/**
 * @param size  of the content, holes included; what entries other than files state is ignored
 * @throws TarFault
 */
export function readEntry(
  block: Buffer,
  path: ByteString,
  type: TarEntryType,
  size: number,
  overrides: EntryOverrides,
  limits: TarLimits,
): TarEntry {
  const { pax } = overrides;
  const isLink = type === "link" || type === "symlink";
  const isDevice = type === "char" || type === "block";
  if (size > limits.fileBytes) throw overLimit(limits, "fileBytes", `file has ${size} bytes`);
  return {
    path,
    linkPath: isLink ? entryLinkPath(block, overrides, limits) : NO_NAME,
    type,
    mode: readNumber(block, FIELD.mode, "mode") & 0o7777,
    uid: checkRange(pax?.uid ?? readNumber(block, FIELD.uid, "uid"), 0, MAX_ID, "uid"),
    gid: checkRange(pax?.gid ?? readNumber(block, FIELD.gid, "gid"), 0, MAX_ID, "gid"),
    size: type === "file" ? size : 0,
    mtime: pax?.mtime ?? { seconds: readNumber(block, FIELD.mtime, "mtime"), nanoseconds: 0 },
    devMajor: isDevice ? readDevice(block, FIELD.devMajor, MAX_MAJOR) : 0,
    devMinor: isDevice ? readDevice(block, FIELD.devMinor, MAX_MINOR) : 0,
    xattrs: pax?.xattrs ?? NO_XATTRS,
  };
}

/** The size that the header or PAX states for the stored content, whatever the type. */
export function storedSize(block: Buffer, pax: PaxRecords | undefined): number {
  const size = pax?.size ?? readNumber(block, FIELD.size, "size");
  return checkRange(size, 0, Number.MAX_SAFE_INTEGER, "size");
}

function entryLinkPath(block: Buffer, overrides: EntryOverrides, limits: TarLimits): ByteString {
  const linkPath =
    overrides.longLink || overrides.pax?.linkPath || readString(block, FIELD.linkName);
  if (linkPath === "") throw new TarFault("link has no target");
  checkPathLength(linkPath, limits, "link target");
  return linkPath;
}

function readDevice(block: Buffer, field: readonly [number, number], maximum: number): number {
  return checkRange(readNumber(block, field, "device number"), 0, maximum, "device number");
}

function checkPathLength(path: ByteString, limits: TarLimits, what: string): void {
  if (path.length > limits.pathBytes) {
    throw overLimit(limits, "pathBytes", `${what} has ${path.length} bytes`);
  }
}
