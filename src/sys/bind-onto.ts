import { closeSync, openSync } from "node:fs";
import { cString, invoke } from "./libc.ts";
import { mapOwnersIfPossible } from "./map-owners.ts";
import { O_PATH, openWithin } from "./open-within.ts";

const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOUNT_ATTR_RDONLY = 1;
const MOVE_MOUNT_ONTO_DESCRIPTOR = 0x04 | 0x40;

export interface BindSource {
  /** Absolute. */
  readonly path: string;
  /** Below `path`, where links may be anybody's: they lead nowhere out of it. */
  readonly within?: string;
  readonly readonly: boolean;
  /** Descriptor of a user namespace through whose maps owners are seen, where that is possible. */
  readonly mapping?: number | undefined;
}

/**
 * Shows a tree of this thread's mount namespace in place of what a descriptor refers to, with
 * all that is mounted below it.
 *
 * @param target opened with O_PATH, in this thread's mount namespace
 * @throws ErrnoError
 * @see open_tree(2), move_mount(2)
 */
export function bindOnto(source: BindSource, target: number): void {
  const place = { path: source.path };
  const base = openSync(source.path, O_PATH);
  try {
    const { within } = source;
    const from = within === undefined ? base : openWithin(base, within, O_PATH, "root");
    try {
      const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
      const tree = invoke("open_tree", [from, cString(""), flags], place);
      try {
        if (source.mapping !== undefined) mapOwnersIfPossible(tree, source.mapping, source.path);
        if (source.readonly) protect(tree, source.path);
        const args = [tree, cString(""), target, cString(""), MOVE_MOUNT_ONTO_DESCRIPTOR] as const;
        invoke("move_mount", args, place);
      } finally {
        closeSync(tree);
      }
    } finally {
      if (from !== base) closeSync(from);
    }
  } finally {
    closeSync(base);
  }
}

/** @see mount_setattr(2) */
function protect(tree: number, path: string): void {
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd; 64 bits each.
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_RDONLY), 0);
  const flags = AT_EMPTY_PATH | AT_RECURSIVE;
  const args = [tree, cString(""), flags, attributes, attributes.length] as const;
  invoke("mount_setattr", args, { path });
}
