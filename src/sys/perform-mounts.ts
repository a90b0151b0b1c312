import { closeSync } from "node:fs";
import { cString, invoke } from "./libc.ts";
import type { MountSpec } from "./mount-spec.ts";

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_BIND = 0x1000;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NODEV = 4;
const GUARDED = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const AT_EMPTY_PATH = 0x1000;
const AT_FDCWD = -100;
const NULL = 0;

/**
 * What a mount lets be done. `guarded` is for where everybody comes by: read-only, also
 * where it is a bind mount, without set-user-ID programs and devices, and never otherwise,
 * not even for a moment.
 */
export type MountMode = "ro" | "rw" | "guarded";

/**
 * Mounts `specs` in order on `target`, a directory, in this thread's mount namespace. When
 * one fails, those before it are taken off again.
 * @throws ErrnoError
 */
export function performMounts(specs: readonly MountSpec[], target: string, mode: MountMode): void {
  let done = 0;
  try {
    for (const spec of specs) {
      performOne(spec, target, mode);
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

function performOne(spec: MountSpec, target: string, mode: MountMode): void {
  const before = process.cwd();
  if (spec.directory !== undefined) process.chdir(spec.directory);
  try {
    if (spec.api === "fsconfig") mountByContext(spec, target, mode);
    else if (spec.type === "bind" && mode === "guarded") bindGuarded(spec, target);
    else mountByPage(spec, target, mode);
  } finally {
    if (spec.directory !== undefined) process.chdir(before);
  }
}

/** One mount(2) call: all options in one string of at most a page. */
function mountByPage(spec: MountSpec, target: string, mode: MountMode): void {
  const bind = spec.type === "bind";
  const data = spec.options.filter((option) => option !== "ro").join(",");
  const type = bind ? NULL : cString(spec.type);
  const guard = mode === "guarded" ? MS_NOSUID | MS_NODEV : 0;
  const flags = bind ? MS_BIND : mode === "rw" ? 0 : MS_RDONLY | guard;
  const place = { path: spec.source, dest: target };
  invoke("mount", [cString(spec.source), cString(target), type, flags, cString(data)], place);
}

/** open_tree(2), mount_setattr(2), move_mount(2): mount(2) binds first and protects later. */
function bindGuarded(spec: MountSpec, target: string): void {
  const place = { path: spec.source, dest: target };
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  const tree = invoke("open_tree", [AT_FDCWD, cString(spec.source), flags], place);
  try {
    // struct mount_attr: attr_set, attr_clr, propagation, userns_fd; 64 bits each.
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(BigInt(GUARDED), 0);
    const set = [tree, cString(""), AT_EMPTY_PATH, attributes, attributes.length] as const;
    invoke("mount_setattr", set, place);
    moveMount(tree, target, place);
  } finally {
    closeSync(tree);
  }
}

/** fsopen(2), an fsconfig(2) for each option, fsmount(2), move_mount(2). */
function mountByContext(spec: MountSpec, target: string, mode: MountMode): void {
  const place = { path: spec.source, dest: target };
  const context = invoke("fsopen", [cString(spec.type), FSOPEN_CLOEXEC], place);
  try {
    const set = (key: string, value: string) =>
      invoke("fsconfig", [context, FSCONFIG_SET_STRING, cString(key), cString(value), 0], place);
    set("source", spec.source);
    for (const option of spec.options) {
      const equals = option.indexOf("=");
      if (option === "ro") continue;
      if (equals > 0) set(option.slice(0, equals), option.slice(equals + 1));
      else invoke("fsconfig", [context, FSCONFIG_SET_FLAG, cString(option), NULL, 0], place);
    }
    invoke("fsconfig", [context, FSCONFIG_CMD_CREATE, NULL, NULL, 0], place);
    const attributes = mode === "guarded" ? GUARDED : mode === "ro" ? MOUNT_ATTR_RDONLY : 0;
    const mount = invoke("fsmount", [context, FSMOUNT_CLOEXEC, attributes], place);
    try {
      moveMount(mount, target, place);
    } finally {
      closeSync(mount);
    }
  } finally {
    closeSync(context);
  }
}

function moveMount(mount: number, target: string, place: { path: string; dest: string }): void {
  const from = [mount, cString("")] as const;
  const to = [AT_FDCWD, cString(target)] as const;
  invoke("move_mount", [...from, ...to, MOVE_MOUNT_F_EMPTY_PATH], place);
}
