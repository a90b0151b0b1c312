import { attach } from "./mounts.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { flags } from "./tape.ts";
import { directoryTarget } from "./target.ts";

const WHY = "joining the other container's /dev/shm";

/**
 * In the launcher: a copy of the mount that another container has at /dev/shm, attached
 * nowhere. It is found from inside that container, whose paths and links lead nowhere else.
 *
 * @param pid the other container's first process
 */
export function borrowSharedMemory(steps: Steps, pid: number): Register {
  const memory = steps.register();
  steps.scope(() => {
    const here = [flags("AT_FDCWD"), "/proc/self/ns/mnt", flags("O_CLOEXEC")];
    const own = steps.keep("openat", here, WHY);
    const other = steps.keep("pidfd_open", [pid, 0], WHY);
    steps.call("setns", [other, flags("CLONE_NEWNS")], WHY);
    const how = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC");
    steps.keep("open_tree", [flags("AT_FDCWD"), "/dev/shm", how], WHY, {
      into: memory,
      hint: "a container with --ipc none has none to share",
    });
    steps.call("setns", [own, flags("CLONE_NEWNS")], WHY);
    steps.call("close", [other], WHY);
    steps.call("close", [own], WHY);
  });
  return memory;
}

/** In the child, once its own /dev is there. */
export function showSharedMemory(steps: Steps, root: Register, memory: Register): void {
  steps.scope(() => attach(steps, memory, directoryTarget(steps, root, "/dev/shm"), WHY));
}
