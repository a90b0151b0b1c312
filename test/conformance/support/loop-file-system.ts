import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type LoopType = "ext4" | "btrfs" | "xfs";

export interface LoopFileSystem extends AsyncDisposable {
  /** Its root. */
  readonly path: string;
}

const MAKE: Readonly<Record<LoopType, string>> = {
  ext4: "mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1",
  btrfs: "mkfs.btrfs -q",
  xfs: "mkfs.xfs -q -m reflink=1",
};

/** Programs that a file system of this type needs, for the reason of a skip. */
export function programsFor(type: LoopType): readonly string[] {
  return [`mkfs.${type}`, "mount", "umount", "truncate"];
}

/**
 * A shell that mounts, waits until its input ends and takes everything down again. The input
 * ends with the test process, however that ends. It runs in the mount namespace that the test
 * started in, where a test that has since entered one of its own couldn't unmount.
 */
const KEEPER = `
set -e
trap '' INT TERM HUP
cd /
undo() {
  umount "$1/mnt" 2>/dev/null || umount -l "$1/mnt" 2>/dev/null || true
  rm -f "$1/image"
  rmdir "$1/mnt" "$1"
}
trap 'undo "$1"' EXIT
mkdir "$1/mnt"
truncate -s "$2" "$1/image"
$3 "$1/image" >/dev/null
mount -o loop "$1/image" "$1/mnt"
echo ready
cat >/dev/null
`;

/**
 * A file system of its own in a sparse file. Make it before anything enters a private mount
 * namespace (`mountPrivately`), so that every thread of this process sees it.
 *
 * @param size as truncate(1) takes it; xfs wants 300M, btrfs 110M
 */
export async function loopFileSystem(type: LoopType, size = "1G"): Promise<LoopFileSystem> {
  const directory = mkdtempSync(join(tmpdir(), `tsimg-${type}-`));
  const keeper = spawn("/bin/sh", ["-c", KEEPER, "keeper", directory, size, MAKE[type]], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  const exit = once(keeper, "exit");
  const ready = await Promise.race([once(keeper.stdout, "data").then(() => true), exit]);
  if (ready !== true) throw new Error(`no ${type} could be made on a loop device`);
  return {
    path: join(directory, "mnt"),
    [Symbol.asyncDispose]: async () => {
      keeper.stdin.end();
      await exit;
    },
  };
}
