import { ErrnoError, type ErrnoPlace } from "./errno.ts";
import { invoke } from "./libc.ts";

export interface IoctlRequest {
  /** As in the kernel's headers, for messages. */
  readonly name: string;
  readonly number: number;
}

/**
 * @param argument what the request points at, read and written in place, or a plain number
 * @returns what ioctl(2) returned, never -1
 * @throws ErrnoError whose `syscall` names the request
 * @see ioctl(2)
 */
export function ioctl(
  fd: number,
  request: IoctlRequest,
  argument: Buffer | number,
  place: ErrnoPlace = {},
): number {
  try {
    return invoke("ioctl", [fd, request.number, argument], place);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new ErrnoError(`ioctl ${request.name}`, error.errno, place);
  }
}
