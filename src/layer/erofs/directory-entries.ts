import { BLOCK, FILE_TYPE, type FileType } from "./format.ts";
import { Branch, type TreeNode } from "./image-tree.ts";

/** Bytes of an entry without its name. */
const ENTRY = 12;

export interface DirectoryEntry {
  readonly name: string;
  /** Of its inode. */
  readonly number: number;
  readonly type: FileType;
}

/** How a directory's entries are divided into blocks. */
export interface Division {
  /** Entries of each block but the last. */
  readonly full: readonly number[];
  /** Bytes of the last block. */
  readonly last: number;
}

/**
 * Completes a directory: puts in itself and its parent, and sorts all by the bytes of their
 * names, which is how the kernel searches.
 */
export function completeChildren(branch: Branch, parent: Branch): void {
  const all: [string, TreeNode][] = [...branch.children, [".", branch], ["..", parent]];
  branch.children = new Map(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a child of a directory that is complete is below it. */
export function isBelow(name: string): boolean {
  return name !== "." && name !== "..";
}

/** Divides the entries of a directory that is complete, by their names. */
export function divide({ children }: Branch): Division {
  const full: number[] = [];
  let count = 0;
  let bytes = 0;
  for (const name of children.keys()) {
    const more = ENTRY + name.length;
    if (bytes + more > BLOCK) {
      full.push(count);
      count = 0;
      bytes = 0;
    }
    count += 1;
    bytes += more;
  }
  return { full, last: bytes };
}

/** The entries of a directory that is complete. */
export function entriesOf(
  { children }: Branch,
  numberOf: (place: number) => number,
): readonly DirectoryEntry[] {
  return Array.from(children, ([name, node]) =>
    node instanceof Branch
      ? { name, number: node.number, type: FILE_TYPE.directory }
      : { name, number: numberOf(node.place), type: node.type },
  );
}

/**
 * Writes entries at `at`: their fixed parts, then their names.
 * @see linux/fs/erofs/erofs_fs.h, struct erofs_dirent
 */
export function writeEntries(entries: readonly DirectoryEntry[], into: Buffer, at: number): void {
  let entry = at;
  let name = at + ENTRY * entries.length;
  for (const each of entries) {
    into.writeUInt32LE(each.number % 2 ** 32, entry);
    into.writeUInt32LE(Math.floor(each.number / 2 ** 32), entry + 4);
    into.writeUInt16LE(name - at, entry + 8);
    into.writeUInt8(each.type, entry + 10);
    entry += ENTRY;
    name += into.write(each.name, name, "latin1");
  }
}
