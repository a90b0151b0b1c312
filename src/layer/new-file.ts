import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  openSync,
  writeSync,
} from "node:fs";
import { tolerating } from "../sys/errno.ts";
import { entryError } from "./entry-error.ts";
import type { FileSink, OnRefused } from "./layer-target.ts";
import { isPlainTime, setTime, setXattrs } from "./metadata.ts";
import { type ByteString, fsPath } from "./tar/byte-string.ts";
import type { TarEntry } from "./tar/entry.ts";

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A regular file while its content comes in. */
export class NewFile implements FileSink {
  private readonly path: ByteString;
  private readonly entry: TarEntry;
  private readonly fd: number;
  private end = 0;

  /** @throws ErrnoError EEXIST when something is in its place */
  constructor(path: ByteString, entry: TarEntry) {
    this.path = path;
    this.entry = entry;
    this.fd = openSync(fsPath(path), CREATE, entry.mode);
  }

  /** Holes are what is never written. */
  write(chunk: Buffer, position: number): void {
    try {
      for (let done = 0; done < chunk.length; )
        done += writeSync(this.fd, chunk, done, chunk.length - done, position + done);
    } catch (error) {
      throw entryError(error, this.entry.path);
    }
    this.end = position + chunk.length;
  }

  /** Describes the file and closes it. @param refused see `setXattrs` */
  finish(refused: OnRefused): void {
    try {
      this.describe(refused);
    } catch (error) {
      throw entryError(error, this.entry.path);
    }
  }

  private describe(refused: OnRefused): void {
    const { fd, entry, path } = this;
    try {
      if (this.end < entry.size) ftruncateSync(fd, entry.size);
      if (entry.uid !== 0 || entry.gid !== 0) fchownSync(fd, entry.uid, entry.gid);
      // chown(2) takes setuid and setgid away, and on some file systems write(2) does.
      if (entry.mode > 0o777) fchmodSync(fd, entry.mode);
      // Attributes after the owner: chown(2) removes security.capability.
      if (entry.xattrs.size > 0) setXattrs(fsPath(path), entry, refused);
      if (isPlainTime(entry.mtime) && setPlainTime(fd, entry.mtime.seconds)) return;
    } finally {
      closeSync(fd);
    }
    setTime(fsPath(path), entry.mtime);
  }
}

/** @returns false when the time is beyond what the file system has */
function setPlainTime(fd: number, seconds: number): boolean {
  return tolerating(["EOVERFLOW"], () => futimesSync(fd, seconds, seconds) ?? true) === true;
}
