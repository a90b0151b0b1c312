import { closeSync, openSync, readlinkSync } from "node:fs";
import { cString, invoke } from "./libc.ts";
import { enterPrivateMountNamespace } from "./private-mounts.ts";

const CLONE_NEWNS = 0x0002_0000;
const AT_FDCWD = -100;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

/** Whether process `pid` sees the mounts that this thread sees. */
export function sharesMountNamespace(pid: number): boolean {
  return readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync("/proc/thread-self/ns/mnt");
}

/**
 * Runs `action`, which is synchronous, among the mounts that process `pid` sees.
 *
 * A thread that shares its root and working directory with others can't change its mount
 * namespace: when it is another one, this thread goes into a private one first, for good.
 * @see setns(2)
 */
export function inMountNamespaceOf<T>(pid: number, action: () => T): T {
  if (sharesMountNamespace(pid)) return action();
  enterPrivateMountNamespace();
  const before = process.cwd();
  const own = openSync("/proc/thread-self/ns/mnt", "r");
  try {
    enter(`/proc/${pid}/ns/mnt`);
    try {
      return action();
    } finally {
      invoke("setns", [own, CLONE_NEWNS]);
      process.chdir(before);
    }
  } finally {
    closeSync(own);
  }
}

/**
 * Makes the mounts at and below `path`, as process `pid` sees them, visible to this thread at
 * the same path. A shared mount stays shared: what is mounted below it there later on shows
 * here too, and the other way round.
 * @see open_tree(2)
 */
export function bringMount(pid: number, path: string): void {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  const tree = inMountNamespaceOf(pid, () =>
    invoke("open_tree", [AT_FDCWD, cString(path), flags], { path }),
  );
  try {
    const from = [tree, cString("")] as const;
    invoke("move_mount", [...from, AT_FDCWD, cString(path), MOVE_MOUNT_F_EMPTY_PATH], { path });
  } finally {
    closeSync(tree);
  }
}

function enter(namespace: string): void {
  const fd = openSync(namespace, "r");
  try {
    invoke("setns", [fd, CLONE_NEWNS], { path: namespace });
  } finally {
    closeSync(fd);
  }
}
