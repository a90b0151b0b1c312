import { byteStringOf } from "../layer/tar/byte-string.ts";
import { TsimgError } from "../sys/error.ts";
import { type LayerReport, type LayersContext, readImageLayers } from "./layer-changes.ts";
import { findPath } from "./tree/find-path.ts";
import type { FileVersion, Removal, TreeEvent } from "./tree/image-tree.ts";

/**
 * - `shown`: the version of the path that shows
 * - `merged`: a directory that is described anew above, but what is in it still shows
 * - `hidden`: a version that a layer above replaced or took away
 * - `removed`: the layer takes away what those below have
 */
export type PathState = "shown" | "merged" | "hidden" | "removed";

/** What one layer has to do with a path. */
export interface WhichRow {
  readonly report: LayerReport;
  readonly state: PathState;
  /** Of the version; of a removal `whiteout`, `opaque` or `replaced`. */
  readonly type: Exclude<FileVersion["type"], "link"> | Removal["how"];
  /** In words, with where a link leads and what was removed. */
  readonly what: string;
  /** Bytes of a file. */
  readonly size: number;
}

export interface WhichAnswer {
  /** With symlinks resolved, and a slash in front. */
  readonly path: string;
  /** Whether the image shows something there. */
  readonly exists: boolean;
  /** Topmost layer first. */
  readonly rows: readonly WhichRow[];
}

/**
 * Names the layer that a path of an image comes from, and those below whose version it hides.
 *
 * @param path   absolute or relative to the root, as in a container
 * @param follow whether a symlink at the path itself is followed, not only those on the way
 * @throws TsimgError ERR_NO_SUCH_IMAGE, ERR_NO_SUCH_PATH, ERR_STORE when a blob is gone
 */
export async function whichPath(
  context: LayersContext,
  text: string,
  path: string,
  options: { readonly follow: boolean; readonly signal: AbortSignal },
): Promise<WhichAnswer> {
  const { image } = context.images.existing(text);
  const { tree, layers } = await readImageLayers(context, image, options.signal);
  const found = findPath(tree.root, byteStringOf(path), options.follow);
  if (found === "circle") throw noPath(text, path, "its symlinks lead in a circle");
  if (found === undefined || found.node.events.length === 0)
    throw noPath(text, path, "no layer has anything there");
  const rows = statesOf(found.node.events).flatMap(({ event, state }) => {
    const report = layers[event.layer - 1];
    return report === undefined ? [] : rowOf(report, state, event, found.path);
  });
  return { path: textOf(`/${found.path}`), exists: found.node.version !== undefined, rows };
}

/** @param events of one path, base layer first @returns the topmost first */
export function statesOf(
  events: readonly TreeEvent[],
): readonly { readonly event: TreeEvent; readonly state: PathState }[] {
  let covered: "not" | "merged" | "hidden" = "not";
  return events.toReversed().map((event) => {
    if (event.what === "removal") {
      covered = "hidden";
      return { event, state: "removed" };
    }
    const merges = covered !== "hidden" && event.version.type === "dir";
    const state = covered === "not" ? "shown" : merges ? "merged" : "hidden";
    covered = merges && !event.version.fresh ? "merged" : "hidden";
    return { event, state };
  });
}

function rowOf(
  report: LayerReport,
  state: PathState,
  event: TreeEvent,
  path: string,
): readonly WhichRow[] {
  if (event.what === "version") {
    const { type, size } = event.version;
    return [{ report, state, type, size, what: describe(event.version) }];
  }
  const { how, at } = event.removal;
  const place = at === path && how === "whiteout" ? "" : ` of ${textOf(`/${at}`)}`;
  const words = { whiteout: "whiteout", opaque: "opaque mark", replaced: "replacement" };
  return [{ report, state, type: how, size: 0, what: `${words[how]}${place}` }];
}

function describe({ type, target, linkTo, implied, fresh }: FileVersion): string {
  if (linkTo !== "") return `${type}, hard link to ${textOf(`/${linkTo}`)}`;
  if (type === "symlink") return `symlink to ${textOf(target)}`;
  return [type, ...(implied ? ["implied"] : []), ...(fresh ? ["opaque"] : [])].join(", ");
}

/** As UTF-8, which names need not be. */
function textOf(name: string): string {
  return Buffer.from(name, "latin1").toString();
}

function noPath(image: string, path: string, why: string): TsimgError {
  return new TsimgError("ERR_NO_SUCH_PATH", `there is no '${path}' in image '${image}': ${why}`, {
    hint: `"tsimg mount ${image}" shows what is there`,
  });
}
