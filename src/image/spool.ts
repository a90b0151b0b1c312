import { closeSync, constants, mkdirSync, openSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../sys/errno.ts";
import { randomHex } from "../sys/random.ts";

const O_TMPFILE = 0o20200000;

/**
 * A file without a name that one process writes and another one follows: an inflated layer,
 * which waits until the layer below it is done. It vanishes with the last process that has
 * it open.
 * @see open(2), O_TMPFILE
 */
export class Spool implements Disposable {
  private readonly fd: number;
  private bytes = 0;
  private isComplete = false;
  private reader: (available: number, last: boolean) => void = () => {};

  /** @param directory on the file system to use; made when it isn't there */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.fd = openNameless(directory);
  }

  /** A path by which other processes open the file, as long as this one has it open. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  /** The writer has got so far. */
  grew(bytes: number): void {
    this.bytes = bytes;
    this.reader(bytes, false);
  }

  complete(bytes: number): void {
    this.bytes = bytes;
    this.isComplete = true;
    this.reader(bytes, true);
  }

  /** Tells `reader` how far it may read, now and whenever there is more. */
  follow(reader: (available: number, last: boolean) => void): void {
    this.reader = reader;
    reader(this.bytes, this.isComplete);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

function openNameless(directory: string): number {
  try {
    return openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    // Not every file system can.
    if (errorCode(error) !== "EOPNOTSUPP" && errorCode(error) !== "EISDIR") throw error;
    const path = join(directory, `spool-${randomHex(16)}`);
    const fd = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return fd;
  }
}
