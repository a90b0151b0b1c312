import type { ByteString } from "./byte-string.ts";
import { checksumMatches, sumBytes } from "./checksum.ts";
import { ContentPlacer } from "./content.ts";
import type { TarEntry, TarHandler } from "./entry.ts";
import { ExtendedHeader } from "./extended-header.ts";
import { overLimit, TarFault } from "./fault.ts";
import { BLOCK_SIZE, FIELD } from "./fields.ts";
import {
  entryPath,
  entryType,
  type HeaderFormat,
  headerFormat,
  readEntry,
  storedSize,
  TYPE_FLAG,
} from "./header.ts";
import { DEFAULT_TAR_LIMITS, type TarLimits } from "./limits.ts";
import { type EntryOverrides, isExtension, OverrideCollector } from "./overrides.ts";
import {
  type ContentPlan,
  checkSparseMap,
  contentPlan,
  oldSparsePlan,
  type SparseMap,
} from "./sparse.ts";
import type { SparseReader } from "./sparse-reader.ts";

/** What the next byte belongs to. The first two are gathered as whole blocks. */
type State =
  | "header"
  | "sparse map"
  | "extended header"
  | "content"
  | "skipped content"
  | "padding"
  | "end"
  | "failed";

/** An entry whose sparse map is still to be read. */
interface SparseEntry {
  readonly entry: TarEntry;
  readonly reader: SparseReader;
  /** Bytes in the archive, less those of the map read so far where it counts. */
  stored: number;
}

const NOTHING: ContentPlan = { size: 0, map: undefined };

/**
 * Reads a tar archive that is pushed in pieces of any size, cut anywhere.
 *
 *     new TarParser(handler) ──push()*──▶ end()
 *
 * Formats: seventh edition, ustar, PAX, GNU, with all four sparse encodings. Where an
 * archive is ambiguous, it is read as Go's archive/tar and GNU tar read it;
 * docs/design/tar.md lists the cases.
 *
 * `push` and `end` throw TsimgError ERR_LAYER_CORRUPT or ERR_LAYER_LIMIT, which name the
 * entry and its header's place in the archive; the parser is of no use after that. What
 * comes after the end marker is ignored.
 */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #limits: TarLimits;
  readonly #overrides: OverrideCollector;
  readonly #content = new ContentPlacer();

  #state: State = "header";
  /** Bytes of the archive before the chunk that is being read. */
  #position = 0;
  #entries = 0;
  /** Set once the current header's path is known. */
  #path: ByteString | undefined;

  readonly #block = Buffer.from(new ArrayBuffer(BLOCK_SIZE));
  readonly #words = new Uint32Array(this.#block.buffer);
  #blockFill = 0;
  /** Where in the archive the current header is. */
  #headerStart = 0;
  #zeroBlock = false;

  #extension: ExtendedHeader | undefined;
  /** Bytes to come of skipped content or of padding. */
  #left = 0;
  /** Padding after the current content or extended header. */
  #padding = 0;
  #sparse: SparseEntry | undefined;

  constructor(handler: TarHandler, limits: TarLimits = DEFAULT_TAR_LIMITS) {
    this.#handler = handler;
    this.#limits = limits;
    this.#overrides = new OverrideCollector(limits);
  }

  /** Reads `chunk` to its end; its memory is the caller's again when this returns. */
  push(chunk: Buffer): void {
    this.#guard(() => {
      let at = 0;
      while (at < chunk.length) at = this.#step(chunk, at);
      this.#position += chunk.length;
    });
  }

  /** No more is to come. @throws TsimgError when the archive is cut short */
  end(): void {
    this.#guard(() => {
      if (this.#state === "padding" || this.#state === "end") return;
      if (this.#state !== "header" || this.#blockFill !== 0) {
        throw new TarFault(`archive is cut short in its ${this.#state}`);
      }
      this.#checkNothingPending();
    });
  }

  #guard(read: () => void): void {
    if (this.#state === "failed") throw new Error("this tar parser has failed before");
    try {
      read();
    } catch (error) {
      this.#state = "failed";
      if (!(error instanceof TarFault)) throw error;
      throw error.at(this.#entries, this.#path, this.#headerStart);
    }
  }

  /** Reads some of `chunk` from `at`. @returns where to go on */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case "content":
        return this.#readContent(chunk, at);
      case "padding":
      case "skipped content":
        return this.#skip(chunk, at);
      case "extended header":
        return this.#readExtension(chunk, at, this.#extension);
      case "end":
      case "failed":
        return chunk.length;
      default:
        return this.#readBlock(chunk, at);
    }
  }

  #readBlock(chunk: Buffer, at: number): number {
    if (this.#blockFill === 0 && this.#state === "header") {
      this.#headerStart = this.#position + at;
      this.#path = undefined;
    }
    const end = Math.min(chunk.length, at + BLOCK_SIZE - this.#blockFill);
    chunk.copy(this.#block, this.#blockFill, at, end);
    this.#blockFill += end - at;
    if (this.#blockFill === BLOCK_SIZE) {
      this.#blockFill = 0;
      if (this.#state === "header") this.#header();
      else if (this.#sparse !== undefined) this.#sparseBlock(this.#sparse);
    }
    return end;
  }

  #header(): void {
    const block = this.#block;
    const sum = sumBytes(this.#words);
    if (sum === 0) return this.#zero();
    if (this.#zeroBlock) throw new TarFault("more follows a lone block of zeros");
    if (!checksumMatches(block, sum)) throw new TarFault("header checksum is wrong");
    const flag = block[FIELD.type[0]] ?? 0;
    if (isExtension(flag)) this.#beginExtension(flag);
    else if (flag === TYPE_FLAG.gnuVolumeLabel) this.#skipContent(storedSize(block, undefined));
    else if (flag === TYPE_FLAG.gnuContinued) {
      throw new TarFault("file is continued from another volume");
    } else this.#beginEntry(flag);
  }

  #zero(): void {
    if (this.#zeroBlock) {
      this.#checkNothingPending();
      this.#state = "end";
    }
    this.#zeroBlock = true;
  }

  #checkNothingPending(): void {
    if (this.#overrides.pending) {
      throw new TarFault("archive is cut short between an extended header and its entry");
    }
  }

  #beginExtension(flag: number): void {
    const size = storedSize(this.#block, undefined);
    this.#extension = new ExtendedHeader(flag, size, this.#limits);
    this.#padding = paddingOf(size);
    this.#state = "extended header";
    if (size === 0) this.#readExtension(this.#block, 0, this.#extension);
  }

  #readExtension(chunk: Buffer, at: number, header: ExtendedHeader | undefined): number {
    if (header === undefined) return at;
    const next = header.take(chunk, at);
    if (!header.isWhole) return next;
    this.#overrides.add(header.flag, header.bytes);
    this.#extension = undefined;
    this.#beginPadding();
    return next;
  }

  #beginEntry(flag: number): void {
    const block = this.#block;
    const overrides = this.#overrides.take();
    const format = headerFormat(block);
    this.#path = entryPath(block, format, overrides, this.#limits);
    if (++this.#entries > this.#limits.entries) {
      throw overLimit(this.#limits, "entries", `archive has ${this.#entries} entries`);
    }
    const type = entryType(flag, this.#path);
    const stored = storedSize(block, overrides.pax);
    const plan = type === "file" ? this.#plan(flag, format, stored, overrides) : NOTHING;
    const entry = readEntry(block, this.#path, type, plan.size, overrides, this.#limits);
    if (plan.map !== undefined && "inContent" in plan.map) {
      this.#beginSparse({ entry, stored, reader: plan.map });
    } else if (type === "file") {
      this.#beginFile(entry, stored, plan.map);
    } else {
      this.#handler.entry(entry);
      this.#handler.entryEnd();
      this.#skipContent(flag === TYPE_FLAG.gnuDumpDir ? stored : 0);
    }
  }

  #plan(
    flag: number,
    format: HeaderFormat,
    stored: number,
    overrides: EntryOverrides,
  ): ContentPlan {
    if (flag !== TYPE_FLAG.gnuSparse) {
      return contentPlan(overrides.pax?.sparse, stored, this.#limits);
    }
    if (format !== "gnu") throw new TarFault("sparse file is not in GNU's format");
    return oldSparsePlan(this.#block, this.#limits);
  }

  #beginSparse(sparse: SparseEntry): void {
    this.#sparse = sparse;
    this.#state = "sparse map";
    if (!sparse.reader.inContent) this.#sparseBlock(sparse);
  }

  #sparseBlock(sparse: SparseEntry): void {
    const { entry, reader } = sparse;
    if (reader.inContent) sparse.stored -= BLOCK_SIZE;
    if (sparse.stored < 0) throw new TarFault("sparse map is longer than the entry");
    if (reader.push(this.#block)) this.#beginFile(entry, sparse.stored, reader.map);
  }

  #beginFile(entry: TarEntry, stored: number, map: SparseMap | undefined): void {
    if (map !== undefined) checkSparseMap(map, entry.size, stored);
    this.#sparse = undefined;
    this.#padding = paddingOf(stored);
    this.#content.begin(stored, map);
    this.#handler.entry(entry);
    if (stored === 0) this.#endFile();
    else this.#state = "content";
  }

  #readContent(chunk: Buffer, at: number): number {
    const next = this.#content.place(chunk, at, this.#handler);
    if (this.#content.left === 0) this.#endFile();
    return next;
  }

  #endFile(): void {
    this.#handler.entryEnd();
    this.#beginPadding();
  }

  #skipContent(size: number): void {
    this.#left = size;
    this.#padding = paddingOf(size);
    if (size === 0) this.#beginPadding();
    else this.#state = "skipped content";
  }

  #beginPadding(): void {
    this.#left = this.#padding;
    this.#state = this.#padding === 0 ? "header" : "padding";
  }

  #skip(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left > 0) return end;
    if (this.#state === "padding") this.#state = "header";
    else this.#beginPadding();
    return end;
  }
}

/** Bytes from the end of `size` bytes to the next block. */
function paddingOf(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE;
}
