import {
  type BigIntStats,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { hasXattrs } from "../../src/sys/copy-xattrs.ts";
import { shown } from "../../src/sys/libc.ts";
import { dataRanges } from "../../src/sys/sparse-file.ts";

const BLOCK = 512n;
const CHUNK = 1024 * 1024;
/** Files up to this size are read and written: faster than what moves the data in the kernel. */
const SMALL = 128n * 1024n;
const { COPYFILE_EXCL, COPYFILE_FICLONE } = constants;

/** Copies the data and permission bits of regular files; keeps a buffer from one to the next. */
export class FileCopier {
  private readonly clone: boolean;
  private readonly buffer = Buffer.allocUnsafeSlow(Number(SMALL));

  /** @param clone share the data where the file system can */
  constructor(clone: boolean) {
    this.clone = clone;
  }

  /**
   * Copies a file to one that isn't there yet. Holes stay holes.
   * @param stat of `source`, which nobody changes meanwhile
   * @returns false when it is known that `source` has no extended attributes
   */
  copy(source: Buffer, target: Buffer, stat: BigIntStats): boolean {
    const isSparse = stat.blocks * BLOCK < stat.size;
    const shares = this.clone && stat.size > 0n;
    if (!shares && !isSparse && stat.size <= SMALL) return this.copySmall(source, target, stat);
    if (shares) copyFileSync(source, target, COPYFILE_EXCL | COPYFILE_FICLONE);
    else if (isSparse) copySparse(source, target, stat);
    else copyFileSync(source, target, COPYFILE_EXCL);
    return true;
  }

  private copySmall(source: Buffer, target: Buffer, stat: BigIntStats): boolean {
    const size = Number(stat.size);
    let attributes: boolean;
    const from = openSync(source, "r");
    try {
      readFully(from, this.buffer, size);
      attributes = hasXattrs(from);
    } finally {
      closeSync(from);
    }
    const to = openSync(target, "wx", 0o600);
    try {
      fchmodSync(to, Number(stat.mode) & 0o7777);
      for (let done = 0; done < size; ) done += writeSync(to, this.buffer, done, size - done);
    } finally {
      closeSync(to);
    }
    return attributes;
  }
}

function readFully(fd: number, buffer: Buffer, size: number): void {
  for (let done = 0; done < size; ) {
    const read = readSync(fd, buffer, done, size - done, null);
    if (read === 0) throw new Error(`a file became shorter than ${size} bytes while it was copied`);
    done += read;
  }
}

function copySparse(source: Buffer, target: Buffer, stat: BigIntStats): void {
  const from = openSync(source, "r");
  try {
    const to = openSync(target, "wx", 0o600);
    try {
      fchmodSync(to, Number(stat.mode) & 0o7777);
      ftruncateSync(to, Number(stat.size));
      for (const { start, end } of dataRanges(from, { path: shown(source) }))
        copyRange(from, to, start, end);
    } finally {
      closeSync(to);
    }
  } finally {
    closeSync(from);
  }
}

function copyRange(from: number, to: number, start: number, end: number): void {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, end - start));
  for (let at = start; at < end; ) {
    const read = readSync(from, buffer, 0, Math.min(buffer.length, end - at), at);
    if (read === 0) return;
    for (let done = 0; done < read; ) done += writeSync(to, buffer, done, read - done, at + done);
    at += read;
  }
}
