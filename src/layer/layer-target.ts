import type { ByteString } from "./tar/byte-string.ts";
import type { TarEntry, TarTime } from "./tar/entry.ts";

/** Receives an extended attribute that could not be set where it belongs. */
export type OnRefused = (name: ByteString, value: Buffer) => void;

/** A regular file while its content comes in. */
export interface FileSink {
  /** Holes are what is never written; `position` only grows. `chunk` is lent for the call. */
  write(chunk: Buffer, position: number): void;
  /** Describes the file: size, owner, mode, attributes, time. */
  finish(refused: OnRefused): void;
}

/**
 * What a layer is written into: a directory, or an image of one. Paths are relative to the
 * layer's root, which is "", and lead through no symlink. A method that makes something
 * fails with the code EEXIST when its place is taken, as the system call would.
 */
export interface LayerTarget {
  /** What is at a path. @throws an error with the code ENOTDIR below something else */
  look(path: ByteString): "directory" | "other" | undefined;
  makeFile(path: ByteString, entry: TarEntry): FileSink;
  /** Mode 0755, until it is described. */
  makeDirectory(path: ByteString): void;
  /** Not yet described. */
  makeSymlink(path: ByteString, target: ByteString): void;
  /** Not yet described. */
  makeFifo(path: ByteString, mode: number): void;
  /** A 0:0 character device. @returns false when the place is taken, or not there */
  makeWhiteout(path: ByteString): boolean;
  /** `path` becomes another name of `target`. */
  link(target: ByteString, path: ByteString): void;
  /** @returns false when something is in the directory */
  removeDirectory(path: ByteString): boolean;
  /** Removes what is at a path, and all below it. */
  remove(path: ByteString): void;
  /** Owner, mode, attributes and time of anything but a file, as an entry has them. */
  describe(path: ByteString, entry: TarEntry, refused: OnRefused): void;
  setTime(path: ByteString, time: TarTime): void;
}
