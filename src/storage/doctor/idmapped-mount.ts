import { closeSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { cString, invoke } from "../../sys/libc.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOUNT_ATTR_IDMAP = 0x0010_0000n;
/** Bytes of `struct mount_attr`. */
const ATTRIBUTES = 32;
/** Until the program has made its namespace, in steps of a millisecond. */
const PATIENCE = 1000;

/**
 * Makes a copy of the mount at `directory` that shows other users, attached nowhere.
 * @throws ErrnoError EINVAL when the file system there can't do that
 * @see mount_setattr(2)
 */
export function tryIdmappedMount(directory: string): void {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const options = ["--user", "--map-root-user", "--", "sleep", "10"];
  const holder = spawn("unshare", options, { stdio: "ignore" });
  // Not installed: there is no namespace then, which is said below.
  holder.on("error", () => {});
  try {
    const users = openSync(`/proc/${waitForNamespace(holder.pid)}/ns/user`, "r");
    try {
      const tree = invoke(
        "open_tree",
        [AT_FDCWD, cString(directory), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC],
        { path: directory },
      );
      try {
        const attributes = Buffer.alloc(ATTRIBUTES);
        attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP, 0);
        attributes.writeBigUInt64LE(BigInt(users), 24);
        const place = { path: directory };
        const where = [tree, cString(""), AT_EMPTY_PATH] as const;
        invoke("mount_setattr", [...where, attributes, ATTRIBUTES], place);
      } finally {
        closeSync(tree);
      }
    } finally {
      closeSync(users);
    }
  } finally {
    holder.kill("SIGKILL");
  }
}

/** The process once its user namespace has a mapping, without which it is of no use. */
function waitForNamespace(pid: number | undefined): number {
  const own = readlinkSync("/proc/self/ns/user");
  for (let attempt = 0; pid !== undefined && attempt < PATIENCE; attempt++) {
    const theirs = tolerating(["ENOENT", "ESRCH"], () => readlinkSync(`/proc/${pid}/ns/user`));
    const map = tolerating(["ENOENT", "ESRCH"], () => readFileSync(`/proc/${pid}/uid_map`, "utf8"));
    if (theirs !== undefined && theirs !== own && map?.trim() !== "") return pid;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
  throw new Error("no user namespace can be made here");
}
