import { constants } from "node:os";
import { ErrnoError } from "../../sys/errno.ts";
import { type FILE_TYPE, type FileType, MAX_NAME, PLAIN_DIRECTORY } from "./format.ts";

/** The place of what is not in the image yet. */
export const NOWHERE = -1;
const MAX_PATH = 4095;

/** Everything but a directory. Names that are hard links share one. */
export class Leaf {
  readonly type: Exclude<FileType, typeof FILE_TYPE.directory>;
  /** Its inode's place in the image. */
  place = NOWHERE;
  links = 1;

  constructor(type: Leaf["type"]) {
    this.type = type;
  }
}

export class Branch {
  description = PLAIN_DIRECTORY;
  children = new Map<string, Leaf | Branch>();
  /** Its inode's number, once directories are laid out. */
  number = 0;
}

export type TreeNode = Leaf | Branch;

/**
 * The names in an image, held in memory: directories with what is in them; of all else only
 * where in the image it is. Paths are one character a byte, and "" is the root.
 *
 * Methods fail as the system calls of a file system would.
 */
export class ImageTree {
  readonly root: Branch;
  private nearPath: string | undefined;
  private near: Branch;

  constructor(root = new Branch()) {
    this.root = root;
    this.near = root;
  }

  /** @throws ErrnoError ENOTDIR below something else */
  look(path: string): TreeNode | undefined {
    if (path === "") return this.root;
    const slash = path.lastIndexOf("/");
    const parent = this.directory(path.slice(0, Math.max(0, slash)));
    return parent?.children.get(path.slice(slash + 1));
  }

  /** @throws ErrnoError ENOENT, ENOTDIR */
  get(path: string): TreeNode {
    const node = this.look(path);
    if (node === undefined) throw failed("lookup", "ENOENT", path);
    return node;
  }

  branch(path: string): Branch {
    const node = this.get(path);
    if (!(node instanceof Branch)) throw failed("lookup", "ENOTDIR", path);
    return node;
  }

  leaf(path: string): Leaf {
    const node = this.get(path);
    if (node instanceof Branch) throw failed("lookup", "EISDIR", path);
    return node;
  }

  /** @throws ErrnoError EEXIST, ENOENT, ENOTDIR, ENAMETOOLONG */
  add<T extends TreeNode>(path: string, node: T): T {
    const { parent, name } = this.parent(path);
    checkName(name, path);
    if (parent.children.has(name)) throw failed("create", "EEXIST", path);
    parent.children.set(name, node);
    return node;
  }

  link(target: string, path: string): void {
    const leaf = this.leaf(target);
    this.add(path, leaf);
    leaf.links += 1;
  }

  rename(from: string, to: string): void {
    const node = this.get(from);
    const { parent, name } = this.parent(from);
    this.add(to, node);
    parent.children.delete(name);
    this.forgetNear();
  }

  /** Takes away what is at a path, and all below it. */
  remove(path: string): void {
    const { parent, name } = this.parent(path);
    const node = this.get(path);
    parent.children.delete(name);
    this.forgetNear();
    const left: TreeNode[] = [node];
    for (let gone = left.pop(); gone !== undefined; gone = left.pop())
      if (gone instanceof Leaf) gone.links -= 1;
      else for (const child of gone.children.values()) left.push(child);
  }

  /** @returns false when something is in the directory */
  removeDirectory(path: string): boolean {
    if (this.branch(path).children.size > 0) return false;
    this.remove(path);
    return true;
  }

  private parent(path: string): { readonly parent: Branch; readonly name: string } {
    const slash = path.lastIndexOf("/");
    const parent = path === "" ? undefined : this.directory(path.slice(0, Math.max(0, slash)));
    if (parent === undefined) throw failed("lookup", "ENOENT", path);
    return { parent, name: path.slice(slash + 1) };
  }

  /** Archives keep to one directory for long. */
  private directory(path: string): Branch | undefined {
    if (path === this.nearPath) return this.near;
    let at = this.root;
    for (const name of path === "" ? [] : path.split("/")) {
      const child = at.children.get(name);
      if (child === undefined) return undefined;
      if (child instanceof Leaf) throw failed("lookup", "ENOTDIR", path);
      at = child;
    }
    this.nearPath = path;
    this.near = at;
    return at;
  }

  private forgetNear(): void {
    this.nearPath = undefined;
  }
}

/** Whether a directory can have something of this name. */
export function isName(name: string): boolean {
  return !(name === "" || name === "." || name === ".." || /[/\0]/.test(name));
}

function checkName(name: string, path: string): void {
  if (name.length > MAX_NAME || path.length > MAX_PATH)
    throw failed("create", "ENAMETOOLONG", path);
  if (!isName(name)) throw failed("create", "EINVAL", path);
}

function failed(
  syscall: string,
  code: "ENOENT" | "ENOTDIR" | "EISDIR" | "EEXIST" | "ENAMETOOLONG" | "EINVAL",
  path: string,
): ErrnoError {
  return new ErrnoError(syscall, constants.errno[code], { path });
}
