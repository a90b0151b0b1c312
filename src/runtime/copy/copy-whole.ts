import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { invoke } from "../../sys/libc.ts";
import { openFileXattrs } from "../../sys/open-file.ts";
import { CopyCount, type CopyRules, descriptionOf, sameOwner } from "./copy-rules.ts";
import { describeOpen } from "./describe.ts";
import { DirectoryWriter } from "./directory-writer.ts";
import { openForReading, type SourceNode } from "./source-node.ts";
import { TreeWalk } from "./walk-tree.ts";

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Files go to whoever they belong to in the tree. */
const RULES: CopyRules = { owner: sameOwner, trusted: true };

/**
 * Copies a directory with all that it says of itself to a new place, and waits until it is on
 * the disk: a name that says that the copy is whole may then follow.
 *
 * @param target absolute; must not be there
 * @throws the first error; what was copied by then stays
 */
export function copyWhole(node: SourceNode, target: string): void {
  mkdirSync(target, 0o700);
  const fd = openSync(target, DIRECTORY);
  try {
    const writer = new DirectoryWriter(fd, RULES, new CopyCount());
    new TreeWalk(writer).walkChildren(node, writer.start, Buffer.from("."));
    describeAs(node, fd);
    invoke("syncfs", [fd], { path: target });
  } finally {
    closeSync(fd);
  }
}

function describeAs(node: SourceNode, fd: number): void {
  const source = openForReading(node);
  try {
    describeOpen(fd, descriptionOf(node, openFileXattrs(source), RULES));
  } finally {
    closeSync(source);
  }
}
