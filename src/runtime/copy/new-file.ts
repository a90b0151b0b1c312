import { closeSync, constants, openSync, renameSync, unlinkSync } from "node:fs";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { linkOpenFile, mountIdOf, pathIn, pathOfOpen } from "../../sys/open-file.ts";
import { randomHex } from "../../sys/random.ts";
import { lookAt } from "./source-node.ts";

const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const NEW = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Answers of file systems that have no nameless files. */
const REFUSALS: readonly string[] = ["EOPNOTSUPP", "ENOTSUP", "EISDIR", "EINVAL", "ENOSYS"];

/** A name that is nobody's, for what gets its own name when it is complete. */
export function temporaryName(): Buffer {
  return Buffer.from(`.tsimg-${randomHex(16)}`);
}

/**
 * A regular file that has no name until it is published: whoever kills us leaves nothing, or
 * where the file system can't do that a file whose name says that it is not done.
 */
export class NewFile implements Disposable {
  readonly fd: number;
  private readonly directory: number;
  private temporary: Buffer | undefined;

  /** @param directory open; read-only is enough */
  constructor(directory: number) {
    this.directory = directory;
    const nameless = tolerating(REFUSALS, () =>
      openSync(pathOfOpen(directory), O_TMPFILE | constants.O_RDWR, 0o600),
    );
    if (nameless === undefined) this.temporary = temporaryName();
    this.fd =
      nameless ?? openSync(pathIn(directory, this.temporary ?? Buffer.alloc(0)), NEW, 0o600);
  }

  /**
   * Gives the file its name, in place of another file that may have it.
   * @throws ErrnoError EISDIR when it is a directory's
   */
  publish(name: Buffer): void {
    if (this.temporary !== undefined) refuseMountPoint(this.directory, name);
    else {
      try {
        return linkOpenFile(this.fd, this.directory, name);
      } catch (error) {
        if (errorCode(error) !== "EEXIST") throw error;
      }
      refuseMountPoint(this.directory, name);
      const temporary = temporaryName();
      linkOpenFile(this.fd, this.directory, temporary);
      this.temporary = temporary;
    }
    renameSync(pathIn(this.directory, this.temporary), pathIn(this.directory, name));
    this.temporary = undefined;
  }

  [Symbol.dispose](): void {
    const { temporary } = this;
    if (temporary !== undefined)
      tolerating(["ENOENT", "EROFS"], () => unlinkSync(pathIn(this.directory, temporary)));
    closeSync(this.fd);
  }
}

/**
 * Makes something that isn't a regular file, in place of what may have its name, but for a
 * directory.
 * @param make fails with EEXIST when the name is taken
 */
export function makeInPlace(directory: number, name: Buffer, make: (path: Buffer) => void): void {
  try {
    return make(pathIn(directory, name));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  refuseMountPoint(directory, name);
  const temporary = pathIn(directory, temporaryName());
  make(temporary);
  try {
    renameSync(temporary, pathIn(directory, name));
  } finally {
    // Still there also when both are names of one file.
    tolerating(["ENOENT"], () => unlinkSync(temporary));
  }
}

/**
 * What is mounted in a container's mount namespace alone, the kernel would let us replace: the
 * mount would be gone, and what is mounted untouched.
 */
function refuseMountPoint(directory: number, name: Buffer): void {
  using there = tolerating(["ENOENT"], () => lookAt(directory, name));
  if (there === undefined || mountIdOf(there.fd) === mountIdOf(directory)) return;
  throw Object.assign(new Error("it is a mount point"), { code: "EBUSY" });
}
