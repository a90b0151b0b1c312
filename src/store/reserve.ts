import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tolerating } from "../sys/errno.ts";

/** Room for a few hundred transactions: enough to remove an image or two. */
const SIZE = 1 << 20;

/**
 * Bytes set aside beside the database. On a full disk nothing could be removed any more,
 * since also a removal is first written down: then this file goes, and there is room.
 */
export class Reserve {
  private readonly path: string;

  constructor(database: string) {
    this.path = `${database}.reserve`;
  }

  /** Sets the bytes aside, unless they are, or there is no room for them. */
  fill(): void {
    if (existsSync(this.path)) return;
    tolerating(["ENOSPC", "EDQUOT"], () => {
      // Not zeros, which a file system that compresses would not store.
      const bytes = Buffer.alloc(
        SIZE,
        Uint8Array.from({ length: 251 }, (_, index) => index * 7),
      );
      writeFileSync(this.path, bytes, { mode: 0o600 });
    });
  }

  /** @returns whether there was anything to give back */
  release(): boolean {
    if (!existsSync(this.path)) return false;
    rmSync(this.path, { force: true });
    return true;
  }
}
