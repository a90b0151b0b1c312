import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readlinkSync, writeFileSync } from "node:fs";
import { tolerating } from "./errno.ts";
import { TsimgError } from "./error.ts";
import { cString, invoke } from "./libc.ts";
import { programPath, requirePrograms } from "./run-program.ts";

const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_IDMAP = 0x100000n;
/** Milliseconds between two looks, and how many of them a new process is given. */
const POLL = 1;
const LOOKS = 5000;

/** The texts of /proc/PID/uid_map and gid_map. */
export interface MapTexts {
  readonly uids: string;
  readonly gids: string;
}

/**
 * A user namespace that nobody is in, to map mounts by. Its process is another program's: this
 * one has several threads, and such a process can't leave its own.
 *
 * @returns its descriptor, which the caller closes
 * @throws TsimgError when unshare(1) isn't there; ErrnoError
 */
export function makeUserNamespace({ uids, gids }: MapTexts): number {
  requirePrograms(["unshare"]);
  const program = programPath("unshare") ?? "unshare";
  // cat waits for input that never comes, and ends with us should we be killed.
  const child = spawn(program, ["--user", "cat"], { stdio: ["pipe", "ignore", "ignore"] });
  child.on("error", () => {});
  child.unref();
  try {
    const place = `/proc/${awaitNamespace(child)}`;
    writeFileSync(`${place}/uid_map`, uids);
    writeFileSync(`${place}/gid_map`, gids);
    return openSync(`${place}/ns/user`, "r");
  } finally {
    child.kill("SIGKILL");
  }
}

function awaitNamespace({ pid }: ChildProcess): number {
  const namespace = (process: string) =>
    tolerating(["ENOENT", "EACCES"], () => readlinkSync(`/proc/${process}/ns/user`));
  const own = namespace("self");
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (let look = 0; pid !== undefined && look < LOOKS; look++) {
    const theirs = namespace(String(pid));
    if (theirs !== undefined && theirs !== own) return pid;
    Atomics.wait(nap, 0, 0, POLL);
  }
  throw new TsimgError("ERR_KERNEL", "can't make a user namespace to map owners by", {
    hint: "see whether `unshare --user true` works, and user.max_user_namespaces",
  });
}

/**
 * Shows the owners of a mount's files through a user namespace's maps.
 *
 * @param mount cloned and not attached anywhere
 * @throws ErrnoError EINVAL where the file system can't
 * @see mount_setattr(2), MOUNT_ATTR_IDMAP
 */
export function mapOwners(mount: number, userNamespace: number, path: string): void {
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd; 64 bits each.
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP, 0);
  attributes.writeBigUInt64LE(BigInt(userNamespace), 24);
  const how = AT_EMPTY_PATH | AT_RECURSIVE;
  invoke("mount_setattr", [mount, cString(""), how, attributes, attributes.length], { path });
}

/** As {@link mapOwners}; a file system that can't shows owners as they are. */
export function mapOwnersIfPossible(mount: number, userNamespace: number, path: string): void {
  tolerating(["EINVAL", "EPERM"], () => mapOwners(mount, userNamespace, path) ?? true);
}

const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const AT_FDCWD = -100;

/** Mounts a tree of this thread's mount namespace on `target` with mapped owners. */
export function bindMapped(source: string, target: string, userNamespace: number): void {
  const place = { path: source, dest: target };
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  const tree = invoke("open_tree", [AT_FDCWD, cString(source), flags], place);
  try {
    mapOwners(tree, userNamespace, source);
    const to = [AT_FDCWD, cString(target), MOVE_MOUNT_F_EMPTY_PATH] as const;
    invoke("move_mount", [tree, cString(""), ...to], place);
  } finally {
    closeSync(tree);
  }
}
