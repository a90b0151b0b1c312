import type { Hash } from "node:crypto";

/**
 * A hash to be fed. `node:crypto` is loaded here and not on import: it takes 7 ms, and most
 * commands hash nothing.
 * @param algorithm as OCI digests write it: sha256 or sha512
 */
export function newHash(algorithm: string): Hash {
  return process.getBuiltinModule("node:crypto").createHash(algorithm);
}
