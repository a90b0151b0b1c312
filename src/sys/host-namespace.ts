import { readdirSync, readlinkSync } from "node:fs";
import { tolerating } from "./errno.ts";

/**
 * `argv` made to run in the mount namespace that this process was started in. Once the main
 * thread has gone into a private one, what programs mount would vanish with it; the other
 * threads of the process stay where they were, and lead back.
 * @see nsenter(1)
 */
export function onHost(argv: readonly string[]): readonly string[] {
  const namespace = hostMountNamespace();
  return namespace === undefined ? argv : ["nsenter", `--mount=${namespace}`, "--", ...argv];
}

/** The file of the host's mount namespace, when this thread is in another one. */
function hostMountNamespace(): string | undefined {
  const own = readlinkSync("/proc/self/ns/mnt");
  return readdirSync("/proc/self/task")
    .map((thread) => `/proc/${process.pid}/task/${thread}/ns/mnt`)
    .find((file) => {
      // A thread may have ended meanwhile.
      const theirs = tolerating(["ENOENT", "ESRCH"], () => readlinkSync(file));
      return theirs !== undefined && theirs !== own;
    });
}
