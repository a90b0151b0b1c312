import { constants } from "node:os";

const NAME_BY_NUMBER: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

/** What a failed system call was about: shown in the message, kept for callers. */
export interface ErrnoPlace {
  readonly path?: string;
  readonly dest?: string;
}

/** A failed system call, in the shape of the errors that `node:fs` throws. */
export class ErrnoError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;
  readonly dest: string | undefined;

  constructor(syscall: string, errno: number, place: ErrnoPlace = {}) {
    const code = NAME_BY_NUMBER.get(errno) ?? `E${errno}`;
    const about = [place.path, place.dest].filter((part) => part !== undefined);
    super(`${syscall}${about.map((part) => ` '${part}'`).join(" on")}: ${code}`);
    this.name = "ErrnoError";
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = place.path;
    this.dest = place.dest;
  }
}

/** The `code` of an error that `node:fs` or a system call threw, such as "ENOENT". */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Runs `action`; answers undefined when it fails with one of `codes`. */
export function tolerating<T>(codes: readonly string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    const code = errorCode(error);
    if (code !== undefined && codes.includes(code)) return undefined;
    throw error;
  }
}
