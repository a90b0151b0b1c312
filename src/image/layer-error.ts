import type { UnpackResult } from "../layer/remainder.ts";
import type { Digest } from "../oci/digest.ts";
import { TsimgError } from "../sys/error.ts";
import { noSpaceError } from "../sys/no-space.ts";
import type { WantedLayer } from "./layer-run.ts";

/** @throws TsimgError ERR_DIFFID_MISMATCH */
export function checkDiffId(layer: WantedLayer, result: UnpackResult): void {
  if (result.diffId === layer.diffId) return;
  throw new TsimgError(
    "ERR_DIFFID_MISMATCH",
    `layer '${layer.descriptor.digest}' unpacks to ${result.diffId}, the image says ${layer.diffId}`,
    { hint: "the image is not what its publisher described: tell them; nothing of it was kept" },
  );
}

/**
 * Runs `action`; its error says which layer it is about.
 * @param place what it writes to, in case that is full
 */
export async function naming<T>(
  digest: Digest,
  place: string,
  action: () => T | Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw namingLayer(noSpaceError(error, place) ?? error, digest);
  }
}

function namingLayer(error: unknown, digest: Digest): unknown {
  if (!(error instanceof TsimgError)) return error;
  return new TsimgError(error.code, `layer '${digest}': ${error.message}`, {
    cause: error,
    ...(error.hint !== undefined && { hint: error.hint }),
  });
}
