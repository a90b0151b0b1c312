const BLOCK = 4096;
const SUPERBLOCK = 1024;
const NO_BLOCK = 0xffff_ffff;
const PREFIXES = [
  "",
  "user.",
  "system.posix_acl_access",
  "system.posix_acl_default",
  "trusted.",
  "",
  "security.",
];

/** What an image has at one path. */
export interface Shown {
  readonly number: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly xattrs: Readonly<Record<string, string>>;
  /** Content of a file, target of a symlink, else nothing. */
  readonly content: Buffer;
  readonly device: number;
  /** Blocks of content that are holes. */
  readonly holes: number;
  /** Whether the inode has 32 bytes. */
  readonly compact: boolean;
}

/**
 * Reads an EROFS image by what the kernel's documentation says of the format, as far as
 * uncompressed images go: a second opinion on what the writer under test meant.
 *
 * @throws Error for what fsck would complain of
 */
export function readImage(image: Buffer): ReadonlyMap<string, Shown> {
  const found = new Map<string, Shown>();
  if (image.readUInt32LE(SUPERBLOCK) !== 0xe0f5_e1e2) throw new Error("no superblock");
  if (image.readUInt32LE(SUPERBLOCK + 36) * BLOCK !== image.length) throw new Error("wrong length");
  const walk = (path: string, number: number, parent: number): void => {
    const inode = readInode(image, number);
    found.set(path, inode);
    if ((inode.mode & 0o170000) !== 0o040000) return;
    const entries = readEntries(inode.content);
    const names = entries.map(({ name }) => name);
    if (names.join("/") !== names.toSorted().join("/")) throw new Error(`unsorted: ${path}`);
    for (const entry of entries) {
      if (entry.name === "." && entry.number !== number) throw new Error(`wrong . in ${path}`);
      if (entry.name === ".." && entry.number !== parent) throw new Error(`wrong .. in ${path}`);
      if (entry.name === "." || entry.name === "..") continue;
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      walk(below, entry.number, number);
      const type = [0, 0o10, 0o04, 0o02, 0o06, 0o01, 0o14, 0o12][entry.type] ?? 0;
      if (type !== (found.get(below)?.mode ?? 0) >> 12) throw new Error(`wrong type: ${below}`);
    }
  };
  const root = image.readUInt16LE(SUPERBLOCK + 14);
  walk("", root, root);
  const inodes = new Set([...found.values()].map(({ number }) => number)).size;
  if (image.readBigUInt64LE(SUPERBLOCK + 16) !== BigInt(inodes)) throw new Error("wrong count");
  return found;
}

function readInode(image: Buffer, number: number): Shown {
  const at = number * 32;
  const format = image.readUInt16LE(at);
  const compact = (format & 1) === 0;
  const header = compact ? 32 : 64;
  const count = image.readUInt16LE(at + 2);
  const xattrBytes = count === 0 ? 0 : 12 + 4 * (count - 1);
  const size = compact ? image.readUInt32LE(at + 8) : Number(image.readBigUInt64LE(at + 8));
  const mode = image.readUInt16LE(at + 4);
  const union = image.readUInt32LE(at + 16);
  const hasContent = [0o100000, 0o040000, 0o120000].includes(mode & 0o170000);
  const behind = at + header + xattrBytes;
  const content = hasContent
    ? readContent(image, format >> 1, size, union, behind)
    : { bytes: Buffer.alloc(0), holes: 0 };
  const second = compact
    ? image.readBigInt64LE(SUPERBLOCK + 24) * 1_000_000_000n +
      BigInt(image.readUInt32LE(SUPERBLOCK + 32))
    : image.readBigInt64LE(at + 32) * 1_000_000_000n + BigInt(image.readUInt32LE(at + 40));
  return {
    number,
    mode,
    uid: compact ? image.readUInt16LE(at + 24) : image.readUInt32LE(at + 24),
    gid: compact ? image.readUInt16LE(at + 26) : image.readUInt32LE(at + 28),
    links: compact ? image.readUInt16LE(at + 6) : image.readUInt32LE(at + 44),
    mtime: second,
    xattrs: readXattrs(image.subarray(at + header, behind)),
    content: content.bytes,
    holes: content.holes,
    device: hasContent ? 0 : union,
    compact,
  };
}

function readContent(image: Buffer, layout: number, size: number, union: number, behind: number) {
  if (layout === 0) return { bytes: image.subarray(union * BLOCK, union * BLOCK + size), holes: 0 };
  if (layout === 2) {
    const tail = size % BLOCK;
    if ((behind % BLOCK) + tail > BLOCK) throw new Error("a tail crosses blocks");
    const blocks = image.subarray(union * BLOCK, union * BLOCK + size - tail);
    const whole = size === tail ? Buffer.alloc(0) : blocks;
    return { bytes: Buffer.concat([whole, image.subarray(behind, behind + tail)]), holes: 0 };
  }
  if (layout !== 4) throw new Error(`layout ${layout}`);
  const chunk = BLOCK << (union & 31);
  const bytes = Buffer.alloc(size);
  let holes = 0;
  for (let start = 0; start < size; start += chunk) {
    const block = image.readUInt32LE(behind + (start / chunk) * 4);
    const end = Math.min(size, start + chunk);
    if (block === NO_BLOCK) holes += Math.ceil((end - start) / BLOCK);
    else image.copy(bytes, start, block * BLOCK, block * BLOCK + end - start);
  }
  return { bytes, holes };
}

function readXattrs(bytes: Buffer): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let at = 12; at < bytes.length; ) {
    const [nameLength, index] = [bytes.readUInt8(at), bytes.readUInt8(at + 1)];
    const value = at + 4 + nameLength;
    const end = value + bytes.readUInt16LE(at + 2);
    const name = bytes.toString("latin1", at + 4, value);
    found[`${PREFIXES[index]}${name}`] = bytes.toString("latin1", value, end);
    at = (end + 3) & ~3;
  }
  return found;
}

interface Entry {
  readonly name: string;
  readonly number: number;
  readonly type: number;
}

function readEntries(content: Buffer): readonly Entry[] {
  const found: Entry[] = [];
  for (let start = 0; start < content.length; start += BLOCK) {
    const block = content.subarray(start, start + BLOCK);
    const count = block.readUInt16LE(8) / 12;
    for (let index = 0; index < count; index++) {
      const at = index * 12;
      const last = index === count - 1;
      const from = block.readUInt16LE(at + 8);
      const padded = block.subarray(from, last ? block.length : block.readUInt16LE(at + 20));
      const name = padded.toString("latin1").replace(/\0+$/, "");
      const number = Number(block.readBigUInt64LE(at));
      found.push({ name, number, type: block.readUInt8(at + 10) });
    }
  }
  return found;
}
