import { posix } from "node:path";
import { TarParser } from "../../layer/tar/parser.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { ArchiveReader } from "./archive-reader.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import type { CopyPath } from "./copy-argument.ts";
import { type CopyRoot, lookAtPath } from "./copy-root.ts";
import { CopyCount, type CopyRules } from "./copy-rules.ts";
import { copyTarget } from "./copy-target.ts";
import { DirectoryWriter } from "./directory-writer.ts";
import { identityOfFile, lookAt, type SourceNode } from "./source-node.ts";
import { TreeWalk } from "./walk-tree.ts";

export interface CopySource {
  readonly root: CopyRoot;
  readonly path: CopyPath;
  /** Whether a symlink stands for what it leads to. */
  readonly follow: boolean;
}

export interface CopyDestination {
  readonly root: CopyRoot;
  readonly path: CopyPath;
}

/**
 * Copies a file or a tree from one root to another.
 *
 * Neither side can lead it out of its root, whatever changes there meanwhile. When it fails, or
 * is killed, what was complete stays.
 *
 * @throws TsimgError naming the path
 */
export function copyTree(from: CopySource, to: CopyDestination, rules: CopyRules): CopyCount {
  using node = lookAtSource(from);
  const subject = { isDirectory: node.stats.isDirectory(), path: from.path };
  using target = copyTarget(to.root, to.path, subject);
  const count = new CopyCount();
  refuseItself(node, target.directory, target.name, to);
  using into = lookAt(target.directory, Buffer.from("."));
  const writer = new DirectoryWriter(target.directory, rules, count);
  const walk = new TreeWalk(writer, new Set([identityOfFile(into.stats)]));
  if (target.name === undefined) walk.walkChildren(node, writer.start, Buffer.from("."));
  else walk.walk(node, writer.start, target.name);
  return count;
}

/** Writes a file or a tree as a tar archive. @param write takes all before it returns */
export function copyToArchive(
  from: CopySource,
  write: (bytes: Buffer) => void,
  rules: CopyRules,
): CopyCount {
  using node = lookAtSource(from);
  const base = posix.basename(from.path.path);
  const inside = node.stats.isDirectory() && (from.path.isContents || base === "");
  const count = new CopyCount();
  const writer = new ArchiveWriter(write, rules, count);
  new TreeWalk(writer).walk(node, undefined, Buffer.from(inside ? "." : base));
  writer.finish();
  return count;
}

/** Unpacks a tar archive into a directory. @throws TsimgError ERR_LAYER_CORRUPT and others */
export async function copyFromArchive(
  archive: AsyncIterable<Buffer>,
  to: CopyDestination,
  rules: CopyRules,
): Promise<CopyCount> {
  using directory = lookAtPath(to.root, to.path.path, true);
  if (!directory.stats.isDirectory())
    throw new TsimgError(
      "ERR_NO_SUCH_PATH",
      `'${to.root.shown(to.path.path)}' is not a directory`,
      {
        hint: "an archive is unpacked into a directory",
      },
    );
  const count = new CopyCount();
  const reader = new ArchiveReader({ root: to.root.fd, path: to.path.path }, rules, count);
  const parser = new TarParser(reader);
  for await (const chunk of archive) parser.push(chunk);
  parser.end();
  reader.finish();
  return count;
}

function lookAtSource({ root, path, follow }: CopySource): SourceNode {
  const node = lookAtPath(root, path.path, follow || path.isDirectory);
  if (!path.isDirectory || node.stats.isDirectory()) return node;
  node[Symbol.dispose]();
  throw new TsimgError("ERR_NO_SUCH_PATH", `'${root.shown(path.path)}' is not a directory`);
}

function refuseItself(
  node: SourceNode,
  directory: number,
  name: Buffer | undefined,
  { root, path }: CopyDestination,
): void {
  using there =
    name === undefined ? undefined : tolerating(["ENOENT"], () => lookAt(directory, name));
  if (there === undefined || identityOfFile(there.stats) !== identityOfFile(node.stats)) return;
  throw new TsimgError("ERR_USAGE", `'${root.shown(path.path)}' is what is to be copied`);
}
