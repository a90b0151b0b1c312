import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ZFS_FUSE_SOCKET } from "../../../drivers/zfs/implementation.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { onHost } from "../../sys/host-namespace.ts";
import { programOutcome, programPath } from "../../sys/run-program.ts";

const POLL = 50;
/** How long it may take to start and to end, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Starts zfs-fuse where it is installed and neither it nor the kernel's ZFS runs. It ends with
 * the workspace.
 */
export function startOwnDaemon(workspace: string): void {
  const kernel = /^nodev\s+zfs$/m.test(readFileSync("/proc/filesystems", "latin1"));
  if (kernel || programPath("zfs-fuse") === undefined || answers()) return;
  const pidFile = pidFileIn(workspace);
  const command = ["zfs-fuse", "--enable-xattr", "--no-kstat-mount", "--pidfile", pidFile];
  const { status, stderr } = programOutcome(onHost(command));
  if (status === 0 && waitUntil(answers)) return;
  throw new TsimgError("ERR_DRIVER", "zfs-fuse does not start", {
    hint: stderr.trim() || `see what it says: ${command.join(" ")}`,
  });
}

/**
 * Ends the daemon that was started for this workspace, if there is one. It stays when somebody
 * else has begun to use it.
 */
export function stopOwnDaemon(workspace: string): void {
  const pidFile = pidFileIn(workspace);
  const text = tolerating(["ENOENT"], () => readFileSync(pidFile, "latin1"));
  if (text === undefined) return;
  const pid = Number(text);
  if (isDaemon(pid) && !hasPools()) {
    tolerating(["ESRCH"], () => process.kill(pid));
    waitUntil(() => !isDaemon(pid));
  }
  rmSync(pidFile, { force: true });
}

function pidFileIn(workspace: string): string {
  return join(workspace, "zfs-fuse.pid");
}

function isDaemon(pid: number): boolean {
  const gone = ["ENOENT", "ESRCH"];
  return tolerating(gone, () => readFileSync(`/proc/${pid}/comm`, "latin1")) === "zfs-fuse\n";
}

function hasPools(): boolean {
  const { status, stdout } = programOutcome(["zpool", "list", "-H", "-o", "name"]);
  return status === 0 && stdout.trim() !== "";
}

function answers(): boolean {
  return existsSync(ZFS_FUSE_SOCKET) && programOutcome(["zpool", "list"]).status === 0;
}

function waitUntil(isSo: () => boolean): boolean {
  const start = performance.now();
  while (!isSo()) {
    if (performance.now() - start > PATIENCE) return false;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL);
  }
  return true;
}
