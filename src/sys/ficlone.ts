import { closeSync, constants, openSync, writeSync } from "node:fs";
import { tolerating } from "./errno.ts";
import { ioctl } from "./ioctl.ts";

const FICLONE = { name: "FICLONE", number: 0x4004_9409 };
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const REFUSALS = ["EOPNOTSUPP", "ENOTSUP", "ENOTTY", "EINVAL", "ENOSYS"];

/**
 * Whether files in `directory` can share their data until one is written to: tried with two
 * that have no name.
 * @see FICLONE(2const)
 */
export function canClone(directory: string): boolean {
  const open = () => openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  const source = tolerating(["EOPNOTSUPP", "ENOTSUP", "EISDIR", "EINVAL"], open);
  if (source === undefined) return false;
  try {
    writeSync(source, "tsimg");
    const target = open();
    try {
      return tolerating(REFUSALS, () => ioctl(target, FICLONE, source)) !== undefined;
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}
