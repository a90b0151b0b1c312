import { writeSync } from "node:fs";
import { errorCode } from "../../sys/errno.ts";

/**
 * Writes to standard output at once. `process.stdout` takes 2 ms to set up, which is much of
 * what a short command takes.
 */
export function print(text: string): void {
  printBytes(Buffer.from(text));
}

/** The same to standard error: for a process that is about to be replaced, streams and all. */
export function complain(text: string): void {
  printBytes(Buffer.from(text), 2);
}

export function printBytes(bytes: Buffer, fd: 1 | 2 = 1): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      // Whoever reads may have made the pipe non-blocking, and is slow.
      if (errorCode(error) !== "EAGAIN") throw error;
    }
  }
}
