import { closeSync, openSync } from "node:fs";
import { invoke } from "./libc.ts";

const LOCK_EX = 2;

/**
 * Waits until no other process holds the lock of `path`, and holds it until disposed of; the
 * kernel drops it when the process dies.
 * @see flock(2)
 */
export function lockFile(path: string): Disposable {
  const fd = openSync(path, "r");
  try {
    invoke("flock", [fd, LOCK_EX], { path });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}
