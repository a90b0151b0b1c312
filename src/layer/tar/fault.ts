import { TsimgError } from "../../sys/error.ts";
import { type ByteString, displayName } from "./byte-string.ts";
import type { TarLimits } from "./limits.ts";

/**
 * What is wrong, without the place: the decoding functions don't know at which entry and
 * byte they are. The parser adds that, and throws what `at` answers.
 */
export class TarFault extends Error {
  /** Set when a limit was reached rather than the archive being malformed. */
  readonly limit: keyof TarLimits | undefined;

  constructor(message: string, limit?: keyof TarLimits) {
    super(message);
    this.name = "TarFault";
    this.limit = limit;
  }

  /**
   * The error that a user sees.
   *
   * @param entries how many were begun
   * @param path    of the last of them; undefined when the fault is in the header after it
   * @param start   of the header, in bytes from the archive's beginning
   */
  at(entries: number, path: ByteString | undefined, start: number): TsimgError {
    const number = path === undefined ? entries + 1 : entries;
    const name = path === undefined ? "" : ` '${displayName(path)}'`;
    const message = `tar entry ${number}${name} at byte ${start}: ${this.message}`;
    if (this.limit === undefined) return new TsimgError("ERR_LAYER_CORRUPT", message);
    const hint = `raise the limit '${this.limit}' if the archive is to be trusted`;
    return new TsimgError("ERR_LAYER_LIMIT", message, { hint });
  }
}

/** `what` reads like "path has 5000 bytes". */
export function overLimit(limits: TarLimits, limit: keyof TarLimits, what: string): TarFault {
  return new TarFault(`${what}, more than the limit '${limit}' of ${limits[limit]}`, limit);
}
