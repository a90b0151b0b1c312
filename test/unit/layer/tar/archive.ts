import type { ByteString } from "../../../../src/layer/tar/byte-string.ts";
import type { TarEntry } from "../../../../src/layer/tar/entry.ts";
import { DEFAULT_TAR_LIMITS, type TarLimits } from "../../../../src/layer/tar/limits.ts";
import { TarParser } from "../../../../src/layer/tar/parser.ts";

/** A header block's fields as text, NULs added; `raw` sets bytes at an offset before the sum. */
export interface BlockFields {
  readonly name?: string;
  readonly type?: string;
  readonly size?: number;
  readonly mode?: string;
  readonly link?: string;
  readonly magic?: "v7" | "ustar" | "gnu";
  readonly raw?: ReadonlyMap<number, string | Buffer>;
}

const MAGIC = { v7: "", ustar: "ustar\x0000", gnu: "ustar  \0" } as const;

/** One header block, made by hand so that a mistake of the writer's can't hide one of the parser's. */
export function block(fields: BlockFields): Buffer {
  const bytes = Buffer.alloc(512);
  const put = (at: number, text: string) => bytes.write(text, at, "latin1");
  put(0, fields.name ?? "file");
  put(100, fields.mode ?? "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, (fields.size ?? 0).toString(8).padStart(11, "0"));
  put(136, "00000000001");
  put(156, fields.type ?? "0");
  put(157, fields.link ?? "");
  put(257, MAGIC[fields.magic ?? "ustar"]);
  for (const [at, value] of fields.raw ?? [])
    bytes.set(typeof value === "string" ? Buffer.from(value, "latin1") : value, at);
  bytes.fill(" ", 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return bytes;
}

/** Content with its padding. */
export function padded(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string, "latin1");
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** An extended header of whole records, each given as `key=value`. */
export function extended(records: readonly string[], type: "x" | "g" = "x"): Buffer {
  const content = records.map(paxRecord).join("");
  return extension(type, content);
}

/** A header of type `type` in front of `content`. */
export function extension(type: string, content: string, magic: "ustar" | "gnu" = "ustar"): Buffer {
  const header = block({ name: "extension", type, size: content.length, magic });
  return Buffer.concat([header, padded(content)]);
}

export function paxRecord(record: string): string {
  const rest = record.length + 2;
  const length = [1, 2, 3, 4, 5, 6, 7]
    .map((d) => rest + d)
    .find((n) => String(n).length === n - rest);
  return `${length} ${record}\n`;
}

export interface ParsedEntry extends TarEntry {
  /** The file with its holes filled; empty for anything over a mebibyte. */
  readonly content: Buffer;
  readonly pieces: readonly (readonly [position: number, length: number])[];
}

/** Parses `archive`, cut at `cuts`. The pieces' memory is overwritten after each push. */
export function parse(
  archive: Buffer,
  limits: Partial<TarLimits> = {},
  cuts: readonly number[] = [],
): ParsedEntry[] {
  const entries: ParsedEntry[] = [];
  let pieces: [number, number][] = [];
  let content = Buffer.alloc(0);
  let open: TarEntry | undefined;
  const parser = new TarParser(
    {
      entry(entry) {
        if (open !== undefined) throw new Error("entry before the end of the last");
        open = entry;
        pieces = [];
        content = Buffer.alloc(entry.size <= 1 << 20 ? entry.size : 0);
      },
      data(chunk, position) {
        if (open === undefined) throw new Error("data outside of an entry");
        pieces.push([position, chunk.length]);
        chunk.copy(content, position);
      },
      entryEnd() {
        if (open === undefined) throw new Error("end without an entry");
        entries.push({ ...open, content, pieces });
        open = undefined;
      },
    },
    { ...DEFAULT_TAR_LIMITS, ...limits },
  );
  const places = [0, ...[...cuts].sort((a, b) => a - b), archive.length];
  for (const [index, start] of places.entries()) {
    const piece = Buffer.from(archive.subarray(start, places[index + 1] ?? archive.length));
    parser.push(piece);
    piece.fill(0xee);
  }
  parser.end();
  return entries;
}

/** A literal as a ByteString. */
export function bytes(text: string): ByteString {
  return text as ByteString;
}
