import { createHash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { xattrsBelow } from "./xattrs.ts";

/** All that can be told of one path; every value is text, so that entries compare by field. */
export type TreeEntry = Readonly<Record<TreeField, string>>;

export type TreeField =
  | "type"
  | "mode"
  | "owner"
  | "size"
  | "content"
  | "target"
  | "device"
  | "links"
  | "xattrs"
  | "mtime";

/** By path relative to the root, as latin1 text (bytes); "." is the root itself. */
export type Tree = ReadonlyMap<string, TreeEntry>;

const S_IFMT = 0o170000n;
const TYPES: Readonly<Record<string, string>> = {
  [String(0o040000)]: "directory",
  [String(0o100000)]: "file",
  [String(0o120000)]: "symlink",
  [String(0o020000)]: "character device",
  [String(0o060000)]: "block device",
  [String(0o010000)]: "fifo",
  [String(0o140000)]: "socket",
};

/** Reads everything below `root`, without crossing symlinks. 25,000 files take a few seconds. */
export async function readTree(root: string): Promise<Tree> {
  const xattrs = await xattrsBelow(root);
  const found = new Map<string, BigIntStats>();
  walk(root, ".", found);
  const linked = hardLinkGroups(found);
  const tree = new Map<string, TreeEntry>();
  for (const [path, stats] of found) {
    const type = TYPES[String(stats.mode & S_IFMT)] ?? "unknown";
    const file = absolute(root, path);
    tree.set(path, {
      type,
      mode: (stats.mode & 0o7777n).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      // Sizes of directories are the file system's business.
      size: type === "directory" ? "" : String(stats.size),
      content: type === "file" ? contentHash(file) : "",
      target: type === "symlink" ? readlinkSync(file, "latin1") : "",
      device: type.endsWith("device") ? String(stats.rdev) : "",
      links: type === "directory" ? "" : (linked.get(path) ?? ""),
      xattrs: xattrs.get(path) ?? "",
      mtime: String(stats.mtimeNs),
    });
  }
  return tree;
}

function walk(root: string, path: string, found: Map<string, BigIntStats>): void {
  const file = absolute(root, path);
  const stats = lstatSync(file, { bigint: true });
  found.set(path, stats);
  if (!stats.isDirectory()) return;
  for (const name of readdirSync(file, "latin1")) {
    walk(root, path === "." ? name : `${path}/${name}`, found);
  }
}

function absolute(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}

/** For each path with more than one name, all names of its inode, sorted. */
function hardLinkGroups(found: ReadonlyMap<string, BigIntStats>): ReadonlyMap<string, string> {
  const byInode = new Map<string, string[]>();
  for (const [path, stats] of found) {
    const inode = `${stats.dev}:${stats.ino}`;
    const paths = byInode.get(inode);
    if (paths) paths.push(path);
    else byInode.set(inode, [path]);
  }
  const groups = new Map<string, string>();
  for (const paths of byInode.values()) {
    if (paths.length === 1) continue;
    const all = paths.sort().join(" = ");
    for (const path of paths) groups.set(path, all);
  }
  return groups;
}

const piece = Buffer.alloc(1 << 20);

function contentHash(file: Buffer): string {
  const hash = createHash("sha1");
  const fd = openSync(file, "r");
  try {
    for (;;) {
      const length = readSync(fd, piece);
      if (length === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, length));
    }
  } finally {
    closeSync(fd);
  }
}
