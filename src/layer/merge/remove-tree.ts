import { rmSync } from "node:fs";

/** Deletes a file or directory, whatever bytes its names are made of. */
export function removeTree(path: Buffer): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
