/**
 * Every error that tsimg reports on purpose, with the exit status the command ends with.
 *
 * Codes are stable: scripts may match on them (`--debug` and JSON output show them).
 * Exit statuses are docker's: 125 is tsimg's own failure, 126 and 127 are about the
 * container's command, 130 is an interrupt.
 */
export const ERROR_EXIT_STATUS = {
  ERR_USAGE: 125,
  ERR_REFERENCE: 125,
  ERR_NO_SUCH_IMAGE: 125,
  ERR_NO_SUCH_CONTAINER: 125,
  ERR_NO_SUCH_SNAPSHOT: 125,
  ERR_NO_SUCH_VOLUME: 125,
  ERR_NO_SUCH_NETWORK: 125,
  ERR_NO_SUCH_PATH: 1,
  ERR_NAME_IN_USE: 125,
  ERR_IN_USE: 125,
  ERR_STATE: 125,
  ERR_NETWORK: 125,
  ERR_PORT_IN_USE: 125,
  ERR_REGISTRY: 125,
  ERR_UNAUTHORIZED: 125,
  ERR_MANIFEST_UNKNOWN: 125,
  ERR_MANIFEST_UNSUPPORTED: 125,
  ERR_MANIFEST_INVALID: 125,
  ERR_CONFIG_INVALID: 125,
  ERR_PLATFORM: 125,
  ERR_DIGEST_MISMATCH: 125,
  ERR_SIZE_MISMATCH: 125,
  ERR_DIFFID_MISMATCH: 125,
  ERR_LAYER_CORRUPT: 125,
  ERR_LAYER_UNSAFE: 125,
  ERR_LAYER_LIMIT: 125,
  ERR_UNPACK: 125,
  ERR_DRIVER: 125,
  ERR_STORE: 125,
  ERR_NO_SPACE: 125,
  ERR_KERNEL: 125,
  ERR_ROOT_REQUIRED: 125,
  ERR_BUILD: 125,
  ERR_SYSCALL: 125,
  ERR_LAUNCH: 125,
  ERR_NOT_EXECUTABLE: 126,
  ERR_COMMAND_NOT_FOUND: 127,
  ERR_INTERRUPTED: 130,
} as const;

export type ErrorCode = keyof typeof ERROR_EXIT_STATUS;

export interface TsimgErrorOptions {
  /** What the user can do about it: one sentence, no full stop. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * An error with a message meant for the user: lower case, the object named and quoted,
 * no full stop. `hint` carries the cure.
 */
export class TsimgError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: TsimgErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TsimgError";
    this.code = code;
    this.hint = options.hint;
  }

  get exitStatus(): number {
    return ERROR_EXIT_STATUS[this.code];
  }
}
