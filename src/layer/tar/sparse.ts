import { TarFault } from "./fault.ts";
import { checkRange, FIELD, readNumber } from "./fields.ts";
import type { TarLimits } from "./limits.ts";
import type { PaxSparse } from "./pax.ts";
import { ContentSparseReader, OldSparseReader, type SparseReader } from "./sparse-reader.ts";

/**
 * Where a sparse file's stored bytes belong: offset and length in turn, ascending. GNU tar
 * has four encodings of it: in the header block and extension blocks (type `S`), as PAX
 * records one number each (0.0) or one list (0.1), and in front of the content (1.0).
 * @see GNU tar manual, "Storing Sparse Files"
 */
export type SparseMap = readonly number[];

/** How a file's content is laid out. */
export interface ContentPlan {
  /** Bytes of the file, holes included. */
  readonly size: number;
  /** Undefined for a file without holes; a reader where the map is still to come. */
  readonly map: SparseMap | SparseReader | undefined;
}

/** The plan of an old GNU sparse file, from its header block. */
export function oldSparsePlan(block: Buffer, limits: TarLimits): ContentPlan {
  const size = readNumber(block, FIELD.gnuRealSize, "sparse size");
  checkRange(size, 0, Number.MAX_SAFE_INTEGER, "sparse size");
  return { size, map: new OldSparseReader(limits) };
}

/** The plan of any other file. @param stored  what the header says that the archive holds */
export function contentPlan(
  sparse: PaxSparse | undefined,
  stored: number,
  limits: TarLimits,
): ContentPlan {
  const map = sparse === undefined ? undefined : paxSparseMap(sparse, limits);
  if (map === undefined) return { size: stored, map };
  if (sparse?.size === undefined) throw new TarFault("sparse file states no size");
  return { size: sparse.size, map };
}

/** A version that nobody has defined is refused: read plainly it would be garbage. */
function paxSparseMap(sparse: PaxSparse, limits: TarLimits): ContentPlan["map"] {
  const { major = "", minor = "", map, numblocks = 0 } = sparse;
  const version = `${major}.${minor}`;
  if (version === "1.0") return new ContentSparseReader(limits);
  if (version !== "0.0" && version !== "0.1" && version !== ".") {
    throw new TarFault("sparse format is none of 0.0, 0.1 and 1.0");
  }
  if (map === undefined && sparse.size === undefined) return undefined;
  if ((map?.length ?? 0) !== numblocks * 2) {
    throw new TarFault("sparse map does not have the number of blocks that is stated");
  }
  return map ?? [];
}

/** @throws TarFault unless the map ascends within `size` and places exactly `stored` bytes */
export function checkSparseMap(map: SparseMap, size: number, stored: number): void {
  let previousEnd = 0;
  let placed = 0;
  for (let at = 0; at < map.length; at += 2) {
    const offset = map[at] ?? 0;
    const length = map[at + 1] ?? 0;
    if (offset < previousEnd || length < 0 || offset + length > size) {
      throw new TarFault("sparse map overlaps, goes back or leaves the file");
    }
    previousEnd = offset + length;
    placed += length;
  }
  if (placed !== stored) {
    throw new TarFault(`sparse map places ${placed} bytes where the entry has ${stored}`);
  }
}
