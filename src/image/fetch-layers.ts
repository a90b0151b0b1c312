import type { SnapshotId } from "../../drivers/driver.ts";
import { TsimgError } from "../sys/error.ts";
import { type FetchContext, type FetchOptions, LayerRun, type WantedLayer } from "./layer-run.ts";

/**
 * Fetches and unpacks an image's layers, base first, and answers the top one's snapshot.
 *
 * Everything overlaps: blobs are downloaded a few at a time, each is unpacked by a process
 * of its own while it still comes in, and sealed once it is verified and its parent is
 * sealed. When one layer fails all others stop; partial downloads stay for the next attempt,
 * unless a layer was refused, when nothing stays.
 */
export async function fetchLayers(
  context: FetchContext,
  layers: readonly WantedLayer[],
  options: FetchOptions,
): Promise<SnapshotId | null> {
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, options.signal]);
  const run = new LayerRun(context, { ...options, signal });
  try {
    return await run.all(layers);
  } catch (error) {
    abort.abort(error);
    context.unpackers[Symbol.dispose]();
    await run.settled();
    run.undo(isRefusal(error));
    throw options.signal.aborted ? options.signal.reason : error;
  } finally {
    run[Symbol.dispose]();
  }
}

/**
 * Errors that the same bytes would bring about again, and those of a full disk, where what was
 * fetched would be in the way of everything else.
 */
function isRefusal(error: unknown): boolean {
  const codes = /^ERR_(LAYER_|DIFFID_|DIGEST_|SIZE_|NO_SPACE)/;
  return error instanceof TsimgError && codes.test(error.code);
}
