import { fchmodSync, ftruncateSync, writeSync } from "node:fs";
import { newHash } from "../../sys/hash.ts";
import { DirectoryWriter } from "./directories.ts";
import { BLOCK } from "./format.ts";
import { Branch, type ImageTree, type Leaf } from "./image-tree.ts";
import type { ImageWriter } from "./image-writer.ts";
import { writeSuperblock } from "./superblock.ts";

export interface ImageUsage {
  readonly bytes: number;
  readonly inodes: number;
}

/**
 * Completes an image: hard links are counted, then come the directories, and last the
 * superblock, without which nothing mounts it.
 */
export function finishImage(fd: number, tree: ImageTree, writer: ImageWriter): ImageUsage {
  const leaves = countLinks(tree, writer);
  writer.area.flush();
  const first = Buffer.alloc(BLOCK);
  const inodes = leaves + new DirectoryWriter(writer, tree.root).write(first);
  writer.stream.align();
  writer.stream.flush();
  const bytes = writer.stream.position;
  const blocks = writer.stream.block;
  // What is skipped at the end is there only now.
  ftruncateSync(fd, bytes);
  const { time, sparseChunks } = writer;
  // The same layer gives the same image, and overlay tells its lower file systems by it.
  const uuid = newHash("sha256").update(`${blocks} ${inodes}`).update(first).digest();
  writeSuperblock(first, { ...time, inodes, blocks, uuid, chunks: sparseChunks > 0 });
  writeSync(fd, first, 0, BLOCK, 0);
  fchmodSync(fd, 0o400);
  return { bytes, inodes };
}

/** Writes how many names each file has that has several. @returns the number of inodes */
function countLinks(tree: ImageTree, writer: ImageWriter): number {
  const shared = new Set<Leaf>();
  let single = 0;
  const left: Branch[] = [tree.root];
  for (let branch = left.pop(); branch !== undefined; branch = left.pop())
    for (const child of branch.children.values())
      if (child instanceof Branch) left.push(child);
      else if (child.links > 1) shared.add(child);
      else single += 1;
  for (const leaf of shared) leaf.place = writer.setLinks(leaf.place, leaf.links);
  return single + shared.size;
}
