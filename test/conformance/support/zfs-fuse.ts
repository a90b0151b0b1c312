import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ZFS_FUSE_SOCKET } from "../../../drivers/zfs/implementation.ts";
import { tolerating } from "../../../src/sys/errno.ts";
import { lockFile } from "../../../src/sys/file-lock.ts";
import { onHost } from "../../../src/sys/host-namespace.ts";
import { cString, invoke } from "../../../src/sys/libc.ts";
import { mountPoints } from "../../../src/sys/mount-table.ts";
import { missing } from "../../peers/requirements.ts";

/** What tests of all processes have in common: the daemon, of which a machine can have one. */
const SHARED = join(tmpdir(), "tsimg-test-zfs");
const PID_FILE = join(SHARED, "pid");
const MNT_DETACH = 2;

/** Why there can't be a pool here; undefined when there can. */
export function missingForZfs(): string | undefined {
  return missing(kernelHasZfs() ? ["zfs", "zpool"] : ["zfs", "zpool", "zfs-fuse"]);
}

/** A pool of a test's own on a file. */
export interface TestPool extends Disposable {
  readonly name: string;
  /** A directory on another file system, removed with the pool. */
  readonly directory: string;
  /** `zfs` with these arguments: its standard output. */
  zfs(...args: readonly string[]): string;
}

/**
 * Makes a pool, and starts zfs-fuse first when neither it nor the kernel's ZFS is there. The
 * last test that disposes of its pool stops a daemon that a test started. What a killed test
 * has left goes with the next.
 */
export function testPool(mebibytes: number): TestPool {
  mkdirSync(SHARED, { recursive: true });
  using _lock = lockFile(SHARED);
  sweep();
  startDaemon();
  const directory = mkdtempSync(join(tmpdir(), "tsimg-zfs-"));
  const name = `tsimgtest${process.pid}x${Date.now().toString(36)}`;
  const record = join(SHARED, `${name}.pool`);
  writeFileSync(record, directory);
  const file = join(directory, "vdev");
  writeFileSync(file, "");
  truncateSync(file, mebibytes * 2 ** 20);
  const options = ["-f", "-o", "cachefile=none", "-O", "mountpoint=none"];
  try {
    command(["zpool", "create", ...options, name, file]);
  } catch (error) {
    removePool(name);
    throw error;
  }
  return {
    name,
    directory,
    zfs: (...args) => command(["zfs", ...args]),
    [Symbol.dispose]() {
      using _lock = lockFile(SHARED);
      removePool(name);
      sweep();
      stopDaemon();
    },
  };
}

function kernelHasZfs(): boolean {
  return /\bzfs$/m.test(readFileSync("/proc/filesystems", "latin1"));
}

/** Takes down the pools of processes that are gone. */
function sweep(): void {
  for (const name of poolNames()) {
    const pid = /^tsimgtest(\d+)x/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removePool(name);
  }
}

function poolNames(): readonly string[] {
  const records = readdirSync(SHARED).filter((file) => file.endsWith(".pool"));
  return records.map((file) => file.slice(0, -".pool".length));
}

function removePool(name: string): void {
  const record = join(SHARED, `${name}.pool`);
  const directory = tolerating(["ENOENT"], () => readFileSync(record, "utf8"));
  if (directory === undefined) return;
  if (kernelHasZfs() || existsSync(ZFS_FUSE_SOCKET)) destroyPool(name);
  // More than once, since there may be a mount on a mount.
  for (let left = mountsBelow(directory); left.length > 0; left = mountsBelow(directory))
    for (const point of left.toReversed()) invoke("umount2", [cString(point), MNT_DETACH]);
  rmSync(directory, { recursive: true, force: true });
  rmSync(record);
}

function destroyPool(name: string): void {
  // What has just been unmounted is busy for a moment.
  for (let attempt = 0; attempt < 40; attempt++) {
    const { status, stderr } = run(["zpool", "destroy", "-f", name]);
    if (status === 0 || /no such pool/.test(stderr)) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

function mountsBelow(directory: string): readonly string[] {
  const points = mountPoints(readFileSync("/proc/thread-self/mountinfo", "utf8"));
  return [...points].filter((point) => point.startsWith(`${directory}/`));
}

function startDaemon(): void {
  if (kernelHasZfs() || run(["zpool", "list"]).status === 0) return;
  // It refuses while the daemon before it is still ending, and over the file of one that was killed.
  waitUntil(() => {
    // One that lives is only too busy to answer at once.
    if (ownDaemon() !== undefined) return true;
    rmSync(PID_FILE, { force: true });
    return (
      run(["zfs-fuse", "--enable-xattr", "--no-kstat-mount", "--pidfile", PID_FILE]).status === 0
    );
  });
  waitUntil(() => run(["zpool", "list"]).status === 0);
}

function stopDaemon(): void {
  if (poolNames().length > 0) return;
  const pid = ownDaemon();
  // A daemon that a person, or another kind of test, has begun to use stays.
  if (pid !== undefined && run(["zpool", "list", "-H"]).stdout === "") {
    tolerating(["ESRCH"], () => process.kill(pid));
    waitUntil(() => !existsSync(`/proc/${pid}`));
    rmSync(PID_FILE);
    rmdirSync(SHARED);
  } else if (pid === undefined) rmSync(SHARED, { recursive: true });
}

/** The process id of the daemon that a test has started, while it lives. */
function ownDaemon(): number | undefined {
  const pid = tolerating(["ENOENT"], () => Number(readFileSync(PID_FILE, "latin1")));
  if (pid === undefined) return undefined;
  const name = tolerating(["ENOENT", "ESRCH"], () => readFileSync(`/proc/${pid}/comm`, "latin1"));
  return name === "zfs-fuse\n" ? pid : undefined;
}

function waitUntil(isSo: () => boolean): void {
  for (let attempt = 0; attempt < 500 && !isSo(); attempt++)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}

function command(argv: readonly string[]): string {
  const { status, stdout, stderr } = run(argv);
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}

/** On the host, so that a daemon and its mounts outlive a namespace of this process. */
function run(argv: readonly string[]) {
  const [program = "", ...args] = onHost(argv);
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return spawnSync(program, args, { encoding: "utf8", env: { PATH: path, LC_ALL: "C" } });
}
