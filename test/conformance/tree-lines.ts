import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { getXattr, listXattrs } from "../../src/sys/xattr.ts";
import { contentLine } from "./content-line.ts";
import { KEEPS_ALL, type Keeps, keptTime } from "./keeps.ts";
import type { ModelDirectory, ModelInode, ModelMeta } from "./model.ts";

/** A tree as one text a path, so that two of them compare as maps of strings. */
export type TreeLines = ReadonlyMap<string, string>;

const SLASH = Buffer.from("/");

/**
 * The tree at `root` as the kernel shows it, the root itself included as ".".
 * @param since nanoseconds since 1970; a time that is not earlier reads "now"
 */
export function linesOnDisk(root: string, since?: bigint): TreeLines {
  const lines = new Map<string, string>();
  const names = new Map<string, string[]>();
  const inodes: [path: string, inode: string][] = [];
  const visit = (path: string, at: Buffer): void => {
    const stat = lstatSync(at, { bigint: true });
    const common = `${metadata(stat, since)} ${attributes(at)}`;
    if (stat.isDirectory()) {
      lines.set(path, `dir ${common}`);
      for (const name of readdirSync(at, { encoding: "buffer" }))
        visit(`${path}/${name.toString("latin1")}`, Buffer.concat([at, SLASH, name]));
      return;
    }
    const key = `${stat.dev}:${stat.ino}`;
    names.set(key, [...(names.get(key) ?? []), path]);
    inodes.push([path, key]);
    lines.set(path, `${typeOf(stat)} ${common}${detailOnDisk(stat, at)}`);
  };
  // `root` itself may be a symlink, as those of /proc/self/fd are.
  visit(".", Buffer.from(`${root}/.`));
  for (const [path, key] of inodes) lines.set(path, lines.get(path) + linked(names.get(key)));
  return lines;
}

/** A modelled tree in the same form, as far as the file system can keep it. */
export function linesOfModel(root: ModelDirectory, keeps: Keeps = KEEPS_ALL): TreeLines {
  const lines = new Map<string, string>();
  const names = new Map<ModelInode, string[]>();
  const inodes: [path: string, inode: ModelInode][] = [];
  const visit = (path: string, directory: ModelDirectory): void => {
    lines.set(path, `dir ${common(directory.meta, "dir", keeps)}`);
    for (const [name, child] of directory.children) {
      const at = `${path}/${name}`;
      if (child.kind === "dir") visit(at, child);
      else {
        names.set(child, [...(names.get(child) ?? []), at]);
        inodes.push([at, child]);
        lines.set(at, `${child.type} ${common(child.meta, child.type, keeps)}${detail(child)}`);
      }
    }
  };
  visit(".", root);
  for (const [path, inode] of inodes) lines.set(path, lines.get(path) + linked(names.get(inode)));
  return lines;
}

/** How two trees differ: a line a path, what is there first. */
export function differences(expected: TreeLines, actual: TreeLines): readonly string[] {
  const paths = [...new Set([...expected.keys(), ...actual.keys()])].sort();
  return paths
    .filter((path) => expected.get(path) !== actual.get(path))
    .map(
      (path) => `${path}: ${actual.get(path) ?? "missing"} | ${expected.get(path) ?? "nothing"}`,
    );
}

/** @throws Error that lists the first differences @param where which of several trees it is */
export function expectSame(expected: TreeLines, actual: TreeLines, where = "the tree"): void {
  const lines = differences(expected, actual);
  if (lines.length === 0) return;
  const shown = lines.slice(0, 30).join("\n");
  throw new Error(`${where} differs in ${lines.length} places, what it is | should be:\n${shown}`);
}

function metadata({ mode, uid, gid, mtimeNs }: BigIntStats, since: bigint | undefined): string {
  const time = since !== undefined && mtimeNs >= since ? "now" : mtimeNs;
  return `${(mode & 0o7777n).toString(8)} ${uid}:${gid} ${time}`;
}

/** xfs shows root its access control lists a second time, as attributes of these names. */
const XFS_LISTS = "trusted.SGI_ACL_";

function attributes(at: Buffer): string {
  return listXattrs(at)
    .filter((name) => !name.toString("latin1").startsWith(XFS_LISTS))
    .map((name) => `${name.toString("latin1")}=${getXattr(at, name)?.toString("hex") ?? "?"}`)
    .sort()
    .join(",");
}

function typeOf(stat: BigIntStats): string {
  if (stat.isFile()) return "file";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  if (stat.isSocket()) return "socket";
  return stat.isCharacterDevice() ? "char" : "block";
}

function detailOnDisk(stat: BigIntStats, at: Buffer): string {
  if (stat.isFile()) return ` ${contentLine(readFileSync(at))}`;
  if (stat.isSymbolicLink()) return ` ${readlinkSync(at, "latin1")}`;
  if (stat.isFIFO() || stat.isSocket()) return "";
  return ` ${(stat.rdev >> 8n) & 0xfffn}:${(stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n)}`;
}

function common(meta: ModelMeta | undefined, type: string, keeps: Keeps): string {
  const { mode, uid, gid, mtime, xattrs } = meta ?? {
    ...{ mode: 0o755, uid: 0, gid: 0, mtime: 0n },
    xattrs: new Map<string, string>(),
  };
  const kept = [...xattrs]
    .filter(([name]) => keeps.xattr(name, type))
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const time = keptTime(keeps.times, mtime);
  return `${mode.toString(8)} ${uid}:${gid} ${time} ${kept.join(",")}`;
}

function detail({ type, content, target, device }: ModelInode): string {
  if (type === "file") return ` ${content}`;
  if (type === "symlink") return ` ${target}`;
  return type === "fifo" ? "" : ` ${device[0]}:${device[1]}`;
}

function linked(paths: readonly string[] | undefined): string {
  return paths === undefined || paths.length < 2 ? "" : ` links ${[...paths].sort().join("=")}`;
}
