import { closeSync, openSync } from "node:fs";
import { invokeElsewhere } from "./libc.ts";

/**
 * Writes all of the file system that holds `directory` to the disk, beside this thread.
 * @see syncfs(2)
 */
export async function syncFileSystem(directory: string): Promise<void> {
  const fd = openSync(directory, "r");
  try {
    await invokeElsewhere("syncfs", [fd], { path: directory });
  } finally {
    closeSync(fd);
  }
}
