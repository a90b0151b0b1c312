import type { TarHandler } from "./entry.ts";
import type { SparseMap } from "./sparse.ts";

/** Hands an entry's stored bytes on, each piece with its place in the file. */
export class ContentPlacer {
  /** Stored bytes still to come. */
  left = 0;
  #map: SparseMap | undefined;
  #pair = 0;
  #segmentLeft = 0;
  #position = 0;

  /** @param map  places exactly `stored` bytes; undefined for a file without holes */
  begin(stored: number, map: SparseMap | undefined): void {
    this.left = stored;
    this.#map = map;
    this.#pair = 0;
    this.#position = 0;
    this.#segmentLeft = map === undefined ? stored : 0;
  }

  /** Passes on what `chunk` has from `at` of the current segment. @returns where to go on */
  place(chunk: Buffer, at: number, handler: TarHandler): number {
    while (this.#segmentLeft === 0) this.#nextSegment();
    const length = Math.min(chunk.length - at, this.#segmentLeft);
    const piece = length === chunk.length ? chunk : chunk.subarray(at, at + length);
    const position = this.#position;
    this.#position += length;
    this.#segmentLeft -= length;
    this.left -= length;
    handler.data(piece, position);
    return at + length;
  }

  #nextSegment(): void {
    this.#position = this.#map?.[this.#pair] ?? 0;
    this.#segmentLeft = this.#map?.[this.#pair + 1] ?? this.left;
    this.#pair += 2;
  }
}
