import {
  destroySubvolume,
  SUBVOLUME_ROOT,
  setReadOnly,
  subvolumeInfo,
} from "../../src/sys/btrfs-ioctl.ts";
import { ROOT_TREE, searchTree } from "../../src/sys/btrfs-tree.ts";
import {
  type OpenDirectory,
  openBtrfsDirectory,
  openDirectory,
} from "../../src/sys/open-directory.ts";

const ROOT_REF = 156;
const ROOT_REF_NAME = 18;

/** A subvolume that somebody made inside another one: no privilege is needed for that. */
export interface NestedSubvolume {
  readonly id: number;
  readonly parent: number;
  /** The directory of `parent` that holds its name. */
  readonly directory: number;
  readonly name: Buffer;
}

/** All subvolumes inside one, at any depth, each after the one that it is in. */
export function nestedSubvolumes(
  beside: OpenDirectory,
  subvolume: number,
): readonly NestedSubvolume[] {
  const found: NestedSubvolume[] = [];
  const inside = (parent: number): void => {
    const range = { tree: ROOT_TREE, objectId: parent, type: ROOT_REF };
    for (const { offset, data } of searchTree(beside, range))
      found.push({
        id: Number(offset),
        parent,
        directory: Number(data.readBigUInt64LE(0)),
        name: Buffer.from(data.subarray(ROOT_REF_NAME)),
      });
  };
  inside(subvolume);
  for (let index = 0; index < found.length; index++) inside(found[index]?.id ?? 0);
  return found;
}

/**
 * Deletes the subvolume `name` of `home` with all that are inside it.
 *
 * Those inside are found and opened by number, never by path: a container chose where they
 * lie, and may have put them deeper than a path can be long.
 *
 * @returns the numbers of those that are gone; their space is freed later
 */
export function destroySubvolumeTree(home: OpenDirectory, name: string): readonly number[] {
  using top = openDirectory(`${home.path}/${name}`);
  const { id } = subvolumeInfo(top);
  const nested = nestedSubvolumes(home, id);
  // A name can't be taken out of a read-only subvolume.
  for (const parent of new Set(nested.map((one) => one.parent))) {
    using root = openBtrfsDirectory(home, parent, SUBVOLUME_ROOT);
    setReadOnly(root, false);
  }
  for (const one of nested.toReversed()) {
    using directory = openBtrfsDirectory(home, one.parent, one.directory);
    destroySubvolume(directory, one.name);
  }
  destroySubvolume(home, name);
  return [...nested.map((one) => one.id), id];
}
