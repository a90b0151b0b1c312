import type { TarLimits } from "./limits.ts";

/**
 * What is wrong, without the place: the decoding functions don't know at which entry and
 * byte they are. The parser adds that and throws a TsimgError.
 */
export class TarFault extends Error {
  /** Set when a limit was reached rather than the archive being malformed. */
  readonly limit: keyof TarLimits | undefined;

  constructor(message: string, limit?: keyof TarLimits) {
    super(message);
    this.name = "TarFault";
    this.limit = limit;
  }
}

/** `what` reads like "path has 5000 bytes". */
export function overLimit(limits: TarLimits, limit: keyof TarLimits, what: string): TarFault {
  return new TarFault(`${what}, more than the limit '${limit}' of ${limits[limit]}`, limit);
}
