import type { ByteString } from "./byte-string.ts";

export type TarEntryType = "file" | "link" | "symlink" | "char" | "block" | "dir" | "fifo";

/** A point in time: `seconds` is floored, so that `nanoseconds` (0 to 999,999,999) counts up. */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** One entry, extension records applied. */
export interface TarEntry {
  /** As the archive writes it: a leading `./` or `/` and a trailing `/` are still there. */
  readonly path: ByteString;
  /** What a `link` or `symlink` points to; empty for every other type. */
  readonly linkPath: ByteString;
  readonly type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file's content, holes included; 0 for every other type. */
  readonly size: number;
  readonly mtime: TarTime;
  /** Device number of a `char` or `block`; 0 for every other type. */
  readonly devMajor: number;
  readonly devMinor: number;
  /** Raw values by full name (`security.capability`). */
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
}

/**
 * Receives an archive, in its order: `entry`, any number of `data`, `entryEnd`, for each
 * entry. What a method throws comes out of the parser's `push` unchanged, but for a TarFault,
 * which becomes a TsimgError that names entry and place.
 */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /**
   * Content of the current entry. `position` is its offset in the file: it only grows, and
   * what it leaps over, up to `size`, is a hole. `chunk` is the caller's memory, lent for
   * the call.
   */
  data(chunk: Buffer, position: number): void;
  entryEnd(): void;
}
