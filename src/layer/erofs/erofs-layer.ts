import { closeSync, constants, fstatSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LayerTarget } from "../layer-target.ts";
import type { UpperTree } from "../stitch/upper-tree.ts";
import { BlockStream } from "./block-stream.ts";
import { ErofsTarget } from "./erofs-target.ts";
import { ErofsUpper } from "./erofs-upper.ts";
import { finishImage, type ImageUsage } from "./finish-image.ts";
import { BLOCK } from "./format.ts";
import { ImageTree } from "./image-tree.ts";
import { damaged, ImageWriter } from "./image-writer.ts";
import { InodeArea } from "./inode-area.ts";
import { writeTreeFile } from "./tree-file.ts";
import { readTreeFile } from "./tree-input.ts";

const IMAGE = "layer.erofs";
/** What an unpack process leaves for its parent, until the image is complete. */
const TREE = "layer.tree";

/**
 * Begins the image of a layer, in an empty directory.
 *
 *     beginErofsLayer ──target──▶ finish ··▶ openErofsLayer ──upper──▶ finish
 *
 * Until the last step the image has no superblock: nothing mounts it.
 */
export function beginErofsLayer(directory = "."): { target: LayerTarget; finish(): void } {
  const fd = openSync(join(directory, IMAGE), "wx+", 0o600);
  const stream = new BlockStream(fd, BLOCK);
  const area = new InodeArea(fd, stream);
  const writer = new ImageWriter(stream, area);
  const tree = new ImageTree();
  const target = new ErofsTarget(tree, writer);
  const finish = (): void => {
    target.finish();
    area.flush();
    stream.flush();
    const { time, sparseChunks } = writer;
    const state = { end: stream.position, sparseChunks, time, chunks: area.chunks };
    writeTreeFile(join(directory, TREE), state, tree);
    closeSync(fd);
  };
  return { target, finish };
}

/**
 * Opens an image that an unpack process has left, to be put on top of its parent. `finish`
 * completes it and makes it read-only; nothing is flushed to the disk.
 *
 * @throws TsimgError ERR_LAYER_CORRUPT when what was left is damaged
 */
export function openErofsLayer(directory: string): {
  upper: UpperTree;
  finish(): ImageUsage;
} & Disposable {
  const { state, tree } = readTreeFile(join(directory, TREE));
  const fd = openLeft(join(directory, IMAGE));
  const stream = new BlockStream(fd, state.end);
  const area = new InodeArea(fd, stream, state.chunks);
  const writer = new ImageWriter(stream, area, state.time, state.sparseChunks);
  let open = true;
  const close = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  return {
    upper: new ErofsUpper(tree, writer),
    finish: () => {
      const usage = finishImage(fd, tree, writer);
      close();
      rmSync(join(directory, TREE));
      return usage;
    },
    [Symbol.dispose]: close,
  };
}

/** Opens what an unpack process has left: a file, or it is not followed to where it leads. */
function openLeft(path: string): number {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw damaged();
}
