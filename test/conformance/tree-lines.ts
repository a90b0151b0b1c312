import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { getXattr, listXattrs } from "../../src/sys/xattr.ts";
import type { ModelDirectory, ModelInode, ModelMeta } from "./model.ts";

/** A tree as one text a path, so that two of them compare as maps of strings. */
export type TreeLines = ReadonlyMap<string, string>;

const SLASH = Buffer.from("/");

/** The tree at `root` as the kernel shows it, the root itself included as ".". */
export function linesOnDisk(root: string): TreeLines {
  const lines = new Map<string, string>();
  const names = new Map<string, string[]>();
  const inodes: [path: string, inode: string][] = [];
  const visit = (path: string, at: Buffer): void => {
    const stat = lstatSync(at, { bigint: true });
    const xattrs = listXattrs(at)
      .map((name) => `${name.toString("latin1")}=${getXattr(at, name)?.toString("hex") ?? "?"}`)
      .sort();
    const common = `${(stat.mode & 0o7777n).toString(8)} ${stat.uid}:${stat.gid} ${stat.mtimeNs} ${xattrs.join(",")}`;
    if (stat.isDirectory()) {
      lines.set(path, `dir ${common}`);
      for (const name of readdirSync(at, { encoding: "buffer" }))
        visit(`${path}/${name.toString("latin1")}`, Buffer.concat([at, SLASH, name]));
      return;
    }
    const key = `${stat.dev}:${stat.ino}`;
    names.set(key, [...(names.get(key) ?? []), path]);
    inodes.push([path, key]);
    const rdev = `${(stat.rdev >> 8n) & 0xfffn}:${(stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n)}`;
    if (stat.isFile()) lines.set(path, `file ${common} ${readFileSync(at, "latin1")}`);
    else if (stat.isSymbolicLink())
      lines.set(path, `symlink ${common} ${readlinkSync(at, "latin1")}`);
    else if (stat.isFIFO()) lines.set(path, `fifo ${common}`);
    else if (stat.isCharacterDevice()) lines.set(path, `char ${common} ${rdev}`);
    else lines.set(path, `block ${common} ${rdev}`);
  };
  visit(".", Buffer.from(root));
  for (const [path, key] of inodes) lines.set(path, lines.get(path) + linked(names.get(key)));
  return lines;
}

/** A modelled tree in the same form. */
export function linesOfModel(root: ModelDirectory): TreeLines {
  const lines = new Map<string, string>();
  const names = new Map<ModelInode, string[]>();
  const inodes: [path: string, inode: ModelInode][] = [];
  const visit = (path: string, directory: ModelDirectory): void => {
    lines.set(path, `dir ${common(directory.meta)}`);
    for (const [name, child] of directory.children) {
      const at = `${path}/${name}`;
      if (child.kind === "dir") visit(at, child);
      else {
        names.set(child, [...(names.get(child) ?? []), at]);
        inodes.push([at, child]);
        lines.set(at, `${child.type} ${common(child.meta)}${detail(child)}`);
      }
    }
  };
  visit(".", root);
  for (const [path, inode] of inodes) lines.set(path, lines.get(path) + linked(names.get(inode)));
  return lines;
}

/** How two trees differ: a line a path. */
export function differences(expected: TreeLines, actual: TreeLines): readonly string[] {
  const paths = [...new Set([...expected.keys(), ...actual.keys()])].sort();
  return paths
    .filter((path) => expected.get(path) !== actual.get(path))
    .map(
      (path) => `${path}: ${actual.get(path) ?? "missing"} | ${expected.get(path) ?? "nothing"}`,
    );
}

function common(meta: ModelMeta | undefined): string {
  const { mode, uid, gid, mtime, xattrs } = meta ?? {
    ...{ mode: 0o755, uid: 0, gid: 0, mtime: 0n },
    xattrs: new Map<string, string>(),
  };
  const attributes = [...xattrs].map(([name, value]) => `${name}=${value}`).sort();
  return `${mode.toString(8)} ${uid}:${gid} ${mtime} ${attributes.join(",")}`;
}

function detail({ type, content, target, device }: ModelInode): string {
  if (type === "file") return ` ${content}`;
  if (type === "symlink") return ` ${target}`;
  return type === "fifo" ? "" : ` ${device[0]}:${device[1]}`;
}

function linked(paths: readonly string[] | undefined): string {
  return paths === undefined || paths.length < 2 ? "" : ` links ${[...paths].sort().join("=")}`;
}
