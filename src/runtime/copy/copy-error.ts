import { byteStringOf, displayName, toByteString } from "../../layer/tar/byte-string.ts";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";

/** `path` for a message. */
export function shownPath(path: Buffer | string): string {
  return displayName(typeof path === "string" ? byteStringOf(path) : toByteString(path));
}

/**
 * What went wrong while `path` was copied, in words: system calls name descriptors, which tell
 * nobody anything.
 */
export function copyError(error: unknown, path: Buffer | string): TsimgError {
  if (error instanceof TsimgError) return error;
  const shown = shownPath(path);
  const fail = (code: ConstructorParameters<typeof TsimgError>[0], what: string, hint?: string) =>
    new TsimgError(code, what, { cause: error, ...(hint !== undefined && { hint }) });
  switch (errorCode(error)) {
    case undefined:
    case "EPIPE":
      // A fault of ours, or whoever reads an archive has seen enough.
      throw error;
    case "ENOSPC":
    case "EDQUOT":
      return fail(
        "ERR_NO_SPACE",
        `no space left for '${shown}'`,
        "what was copied before it stays",
      );
    case "EROFS":
      return fail("ERR_STATE", `'${shown}' can't be written: its place is read-only`);
    case "EISDIR":
    case "ENOTEMPTY":
      return fail("ERR_STATE", `cannot overwrite directory with non-directory '${shown}'`);
    case "EBUSY":
      return fail("ERR_IN_USE", `'${shown}' can't be replaced: something is mounted on it`);
    case "ENOENT":
      return fail("ERR_NO_SUCH_PATH", `no such file or directory: '${shown}'`);
    case "ENOTDIR":
      return fail("ERR_NO_SUCH_PATH", `not a directory on the way to '${shown}'`);
    case "ELOOP":
      return fail("ERR_NO_SUCH_PATH", `too many symbolic links on the way to '${shown}'`);
    case "ENAMETOOLONG":
      return fail("ERR_NO_SUCH_PATH", `name too long: '${shown}'`);
    default:
      return fail("ERR_SYSCALL", `copying '${shown}' failed: ${errorCode(error)}`);
  }
}
