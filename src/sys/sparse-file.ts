import { tolerating } from "./errno.ts";
import { invoke } from "./libc.ts";

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Bytes `start` up to, not including, `end`. */
export interface DataRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What of an open file is data and not a hole, in order. A file system that knows no holes
 * answers one range. Moves the file's position.
 * @see lseek(2)
 */
export function* dataRanges(fd: number, place: { readonly path: string }): Generator<DataRange> {
  for (let at = 0; ; ) {
    const from = at;
    const start = tolerating(["ENXIO"], () => invoke("lseek", [fd, from, SEEK_DATA], place));
    if (start === undefined) return;
    const end = invoke("lseek", [fd, start, SEEK_HOLE], place);
    yield { start, end };
    at = end;
  }
}
