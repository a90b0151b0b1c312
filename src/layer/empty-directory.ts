import { readdirSync, rmSync } from "node:fs";

/** Removes all that is in a directory, but not the directory. */
export function emptyDirectory(directory: string): void {
  for (const name of readdirSync(directory, { encoding: "buffer" }))
    rmSync(Buffer.concat([Buffer.from(`${directory}/`), name]), { recursive: true, force: true });
}
