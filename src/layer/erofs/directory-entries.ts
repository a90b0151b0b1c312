import { BLOCK, FILE_TYPE, type FileType } from "./format.ts";
import { Branch } from "./image-tree.ts";

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

/** Puts a directory's children in the order of their bytes, which the kernel searches by. */
export function sortChildren(branch: Branch): void {
  const sorted = [...branch.children].sort(([a], [b]) => (a < b ? -1 : 1));
  branch.children = new Map(sorted);
}

/** Divides the entries of a directory, its own and its parent's included, by their names. */
export function divide(branch: Branch): Division {
  const full: number[] = [];
  let count = 0;
  let bytes = 0;
  for (const name of namesOf(branch)) {
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

/** The entries of a directory whose children are sorted. */
export function* entriesOf(
  branch: Branch,
  parent: Branch,
  numberOf: (place: number) => number,
): Generator<DirectoryEntry> {
  const directory = FILE_TYPE.directory;
  for (const name of namesOf(branch)) {
    const node = branch.children.get(name);
    if (node === undefined)
      yield { name, number: (name === "." ? branch : parent).number, type: directory };
    else if (node instanceof Branch) yield { name, number: node.number, type: directory };
    else yield { name, number: numberOf(node.place), type: node.type };
  }
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

function* namesOf({ children }: Branch): Generator<string> {
  const dots = [".", ".."];
  for (const name of children.keys()) {
    while (dots[0] !== undefined && dots[0] < name) yield dots.shift() ?? "";
    yield name;
  }
  yield* dots;
}
