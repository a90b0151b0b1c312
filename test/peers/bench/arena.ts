import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";

export type Backing = "ext4" | "tmpfs";

export interface ArenaOptions {
  readonly backing: Backing;
  /** GiB; the image file is sparse. */
  readonly size: number;
}

/**
 * Mounts a file system that was never used before, where all tools keep their stores. Nothing
 * unmounts it: that is done by the end of the mount namespace that the bench runs in, and the
 * loop device goes with its mount.
 *
 * @returns its mount point, in `work`
 */
export async function makeArena(work: string, options: ArenaOptions): Promise<string> {
  const arena = join(work, "arena");
  await mkdir(arena);
  if (options.backing === "tmpfs") {
    await outputOf(["mount", "-t", "tmpfs", "-o", `size=${options.size}g`, "tmpfs", arena]);
    return arena;
  }
  const image = join(work, "arena.ext4");
  await outputOf(["truncate", "-s", `${options.size}G`, image]);
  // Without "lazy", so that the kernel doesn't go on formatting while we measure.
  const eager = ["-E", "lazy_itable_init=0,lazy_journal_init=0"];
  await outputOf(["mkfs.ext4", "-q", "-F", ...eager, image]);
  await outputOf(["mount", "-o", "loop", image, arena]);
  return arena;
}

/**
 * Hides what tools keep at fixed places: each bench starts with these empty, and what it leaves
 * there goes with the mount namespace.
 *
 * The empty cgroup v2 tree that some machines have beside v1 goes, too: crun refuses to start
 * where it has a controller.
 */
export async function hideMachineState(): Promise<void> {
  for (const dir of ["/run", "/dev/shm", "/var/lib/containers"]) {
    await outputOf(["sh", "-c", 'test ! -d "$1" || mount -t tmpfs tmpfs "$1"', "sh", dir]);
  }
  const unified = "/sys/fs/cgroup/unified";
  await outputOf(["sh", "-c", '! mountpoint -q "$1" || umount "$1"', "sh", unified]);
}
