import { closeSync } from "node:fs";
import { cString, invoke } from "./libc.ts";
import type { MountSpec } from "./mount-spec.ts";
import { type MountMode, newMount } from "./new-mount.ts";

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const AT_FDCWD = -100;

/**
 * Mounts `specs` in order on `target`, a directory, in this thread's mount namespace. When
 * one fails, those before it are taken off again.
 * @throws ErrnoError
 */
export function performMounts(specs: readonly MountSpec[], target: string, mode: MountMode): void {
  let done = 0;
  try {
    for (const spec of specs) {
      if (spec.api === "fsconfig" || spec.type === "bind") mountByContext(spec, target, mode);
      else mountByPage(spec, target, mode);
      done += 1;
    }
  } catch (error) {
    detach(target, done);
    throw error;
  }
}

/** Takes the topmost `count` mounts off `target`, even while they are in use. */
export function detach(target: string, count: number): void {
  for (let index = 0; index < count; index++)
    invoke("umount2", [cString(target), MNT_DETACH], { path: target });
}

/** Takes the topmost mount off `target`. @throws ErrnoError EBUSY while it is in use */
export function unmount(target: string): void {
  invoke("umount2", [cString(target), UMOUNT_NOFOLLOW], { path: target });
}

/** One mount(2) call: all options in one string of at most a page. */
function mountByPage(spec: MountSpec, target: string, mode: MountMode): void {
  const data = spec.options.filter((option) => option !== "ro" && option !== "rw").join(",");
  const guard = mode === "guarded" ? MS_NOSUID | MS_NODEV : 0;
  const flags = mode === "rw" ? 0 : MS_RDONLY | guard;
  const place = { path: spec.source, dest: target };
  const words = [cString(spec.source), cString(target), cString(spec.type)] as const;
  const before = process.cwd();
  if (spec.directory !== undefined) process.chdir(spec.directory);
  try {
    invoke("mount", [...words, flags, cString(data)], place);
  } finally {
    if (spec.directory !== undefined) process.chdir(before);
  }
}

/** A mount made nowhere, then moved to its place: move_mount(2). */
function mountByContext(spec: MountSpec, target: string, mode: MountMode): void {
  const mount = newMount(spec, mode);
  try {
    const from = [mount, cString("")] as const;
    const to = [AT_FDCWD, cString(target)] as const;
    const place = { path: spec.source, dest: target };
    invoke("move_mount", [...from, ...to, MOVE_MOUNT_F_EMPTY_PATH], place);
  } finally {
    closeSync(mount);
  }
}
