import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { invoke } from "../../sys/libc.ts";
import { openFileXattrs } from "../../sys/open-file.ts";
import { CopyCount, type CopyRules, descriptionOf, sameOwner } from "./copy-rules.ts";
import { describeOpen, type Owner } from "./describe.ts";
import { DirectoryWriter } from "./directory-writer.ts";
import { openForReading, type SourceNode } from "./source-node.ts";
import { TreeWalk } from "./walk-tree.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Copies a directory with all that it says of itself to a new place, and waits until it is on
 * the disk: a name that says that the copy is whole may then follow.
 *
 * @param target absolute; must not be there
 * @param owner  who gets what is somebody's in the tree
 * @throws the first error; what was copied by then stays
 */
export function copyWhole(
  node: SourceNode,
  target: string,
  owner: (source: Owner) => Owner = sameOwner,
): void {
  const rules: CopyRules = { owner, trusted: true };
  mkdirSync(target, 0o700);
  const fd = openSync(target, DIRECTORY);
  try {
    const writer = new DirectoryWriter(fd, rules, new CopyCount());
    new TreeWalk(writer).walkChildren(node, writer.start, Buffer.from("."));
    describeAs(node, fd, rules);
    invoke("syncfs", [fd], { path: target });
  } finally {
    closeSync(fd);
  }
}

function describeAs(node: SourceNode, fd: number, rules: CopyRules): void {
  const source = openForReading(node);
  try {
    describeOpen(fd, descriptionOf(node, openFileXattrs(source), rules));
  } finally {
    closeSync(source);
  }
}
