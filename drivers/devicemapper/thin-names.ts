import { TsimgError } from "../../src/sys/error.ts";

/** What device-mapper takes in a name without escapes, and what is no option. */
const POOL_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Device ids are 24 bits wide. */
const LAST_ID = 0xff_ffff;

/** The empty file system that all others begin as. */
export const BASE_ID = 0;

/** The base while it is being formatted. */
export const UNFINISHED_BASE_ID = LAST_ID;

/**
 * Device-mapper names of a pool's devices: `tsimg-fast-pool`, `tsimg-fast-12`.
 * @throws TsimgError ERR_USAGE for a pool name that can't be part of one
 */
export function thinNames(pool: string) {
  if (!POOL_NAME.test(pool))
    throw new TsimgError("ERR_USAGE", `a thin pool can't be called '${pool.slice(0, 80)}'`, {
      hint: "letters, digits, '_', '.' and '-', beginning with a letter or digit, 64 at most",
    });
  const prefix = `tsimg-${pool}-`;
  return {
    pool: `${prefix}pool`,
    device: (id: number): string => `${prefix}${id}`,
    isDevice: (name: string): boolean =>
      name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)),
    prefix,
  };
}
