import type { TarEntry, TarHandler } from "./tar/entry.ts";

/**
 * Passes an archive on as if everything in it were root's: for a user who has no other ID to
 * give to files.
 */
export class OneOwner implements TarHandler {
  private readonly next: TarHandler;

  constructor(next: TarHandler) {
    this.next = next;
  }

  entry(entry: TarEntry): void {
    this.next.entry({ ...entry, uid: 0, gid: 0 });
  }

  data(chunk: Buffer, position: number): void {
    this.next.data(chunk, position);
  }

  entryEnd(): void {
    this.next.entryEnd();
  }
}
