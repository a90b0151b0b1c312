import { type BigIntStats, closeSync } from "node:fs";
import { type ByteString, toByteString } from "../../layer/tar/byte-string.ts";
import type { TarEntry, TarEntryType } from "../../layer/tar/entry.ts";
import { TAR_END, tarHeader, tarPadding } from "../../layer/tar/writer.ts";
import { openFileXattrs } from "../../sys/open-file.ts";
import {
  type CopyCount,
  type CopyRules,
  isAttributeCopied,
  ownerOf,
  ownerOfFile,
} from "./copy-rules.ts";
import { isSparse, readAt } from "./file-content.ts";
import { identityOfFile, openForReading, pathXattrs, type SourceNode } from "./source-node.ts";
import type { TreeVisitor } from "./walk-tree.ts";

const CHUNK = 1 << 20;
const BILLION = 1_000_000_000n;
const NONE = "" as ByteString;

/** Writes a tree as a tar archive. Names, links, attributes and times go in as they are. */
export class ArchiveWriter implements TreeVisitor<undefined> {
  private readonly write: (bytes: Buffer) => void;
  private readonly rules: CopyRules;
  private readonly count: CopyCount;
  /** The first path of a file with several names. */
  private readonly linked = new Map<string, ByteString>();

  /** @param write takes all of it before it returns; the memory is lent for the call */
  constructor(write: (bytes: Buffer) => void, rules: CopyRules, count: CopyCount) {
    this.write = write;
    this.rules = rules;
    this.count = count;
  }

  enter(node: SourceNode, _parent: undefined, _name: Buffer, path: Buffer): undefined {
    const fd = openForReading(node);
    try {
      const entry = { type: "dir", xattrs: this.attributesOf(openFileXattrs(fd)) } as const;
      this.write(tarHeader(this.entry(node, Buffer.concat([path, Buffer.from("/")]), entry)));
    } finally {
      closeSync(fd);
    }
  }

  leave(): void {}

  skipped(): void {
    this.count.kernelDirectories += 1;
  }

  leaf(node: SourceNode, _parent: undefined, _name: Buffer, path: Buffer): void {
    const { stats } = node;
    const type = typeOf(stats);
    if (type === undefined) {
      this.count.sockets += 1;
      return;
    }
    this.count.files += 1;
    const first = stats.nlink > 1n ? this.linked.get(identityOfFile(stats)) : undefined;
    if (first !== undefined)
      return this.write(tarHeader(this.entry(node, path, { type: "link", linkPath: first })));
    if (stats.nlink > 1n) this.linked.set(identityOfFile(stats), toByteString(path));
    if (type === "file") return this.writeFile(node, path);
    const linkPath = node.link === undefined ? NONE : toByteString(node.link);
    const xattrs = this.attributesOf(pathXattrs(node.place));
    this.write(tarHeader(this.entry(node, path, { type, linkPath, xattrs })));
  }

  finish(): void {
    this.write(TAR_END);
  }

  /** As many bytes as the header says, whatever becomes of the file meanwhile. */
  private writeFile(node: SourceNode, path: Buffer): void {
    const fd = openForReading(node);
    try {
      const size = Number(node.stats.size);
      const xattrs = this.attributesOf(openFileXattrs(fd));
      this.write(tarHeader(this.entry(node, path, { type: "file", size, xattrs })));
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size)));
      let at = 0;
      while (at < size) {
        const piece = readAt(fd, at, buffer.subarray(0, Math.min(buffer.length, size - at)));
        if (piece.length === 0) break;
        this.write(piece);
        at += piece.length;
      }
      this.pad(size - at);
      this.write(tarPadding(size));
      this.count.bytes += isSparse(node.stats) ? Number(node.stats.blocks) * 512 : at;
    } finally {
      closeSync(fd);
    }
  }

  /** A file that became shorter: the rest is zeros. */
  private pad(length: number): void {
    for (let left = length; left > 0; left -= CHUNK)
      this.write(Buffer.alloc(Math.min(CHUNK, left)));
  }

  private entry(
    { stats }: SourceNode,
    path: Buffer,
    more: Partial<TarEntry> & Pick<TarEntry, "type">,
  ): TarEntry {
    const isDevice = more.type === "char" || more.type === "block";
    const seconds = (stats.mtimeNs - mod(stats.mtimeNs)) / BILLION;
    return {
      path: toByteString(path),
      linkPath: NONE,
      mode: Number(stats.mode) & 0o7777,
      ...ownerOf(ownerOfFile(stats), this.rules),
      size: 0,
      mtime: { seconds: Number(seconds), nanoseconds: Number(mod(stats.mtimeNs)) },
      devMajor: isDevice ? majorOf(stats.rdev) : 0,
      devMinor: isDevice ? minorOf(stats.rdev) : 0,
      xattrs: new Map(),
      ...more,
    };
  }

  private attributesOf(found: Iterable<readonly [Buffer, Buffer]>): Map<ByteString, Buffer> {
    const kept = [...found].filter(([name]) => isAttributeCopied(name, this.rules));
    return new Map(kept.map(([name, value]) => [toByteString(name), value]));
  }
}

function typeOf(stats: BigIntStats): TarEntryType | undefined {
  if (stats.isFile()) return "file";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isCharacterDevice()) return "char";
  return stats.isBlockDevice() ? "block" : undefined;
}

/** Of nanoseconds, those that are no whole second: counted up, also before 1970. */
function mod(nanoseconds: bigint): bigint {
  return ((nanoseconds % BILLION) + BILLION) % BILLION;
}

/** @see makedev(3) */
function majorOf(device: bigint): number {
  return Number(((device >> 32n) & 0xffff_f000n) | ((device >> 8n) & 0xfffn));
}

function minorOf(device: bigint): number {
  return Number(((device >> 12n) & 0xffff_ff00n) | (device & 0xffn));
}
