import { closeSync, openSync, readSync } from "node:fs";

/**
 * Random bytes from the kernel. `node:crypto` would do, but takes 7 ms to load, which is a
 * third of what starting a container takes.
 * @see urandom(4)
 */
export function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const fd = openSync("/dev/urandom", "r");
  try {
    readSync(fd, bytes, 0, count, null);
  } finally {
    closeSync(fd);
  }
  return bytes;
}

/** `digits` random hexadecimal digits. */
export function randomHex(digits: number): string {
  return randomBytes(Math.ceil(digits / 2))
    .toString("hex")
    .slice(0, digits);
}
