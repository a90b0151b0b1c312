import { constants } from "node:os";
import { ErrnoError } from "../../sys/errno.ts";

const MAX_TARGET = 4095;

/** @throws ErrnoError for a target that symlink(2) doesn't take */
export function checkTarget(target: string): void {
  if (target === "") throw new ErrnoError("symlink", constants.errno.ENOENT);
  if (target.length > MAX_TARGET) throw new ErrnoError("symlink", constants.errno.ENAMETOOLONG);
  if (target.includes("\0")) throw new ErrnoError("symlink", constants.errno.EINVAL);
}
