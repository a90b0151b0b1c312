import { closeSync } from "node:fs";
import { cString, invoke } from "./libc.ts";
import type { MountSpec } from "./mount-spec.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NODEV = 4;
const NULL = 0;

/**
 * What a mount lets be done. `guarded` is for where everybody comes by: read-only, without
 * set-user-ID programs and devices, and never otherwise, not even for a moment.
 */
export type MountMode = "ro" | "rw" | "guarded";

const ATTRIBUTES: Readonly<Record<MountMode, number>> = {
  rw: 0,
  ro: MOUNT_ATTR_RDONLY,
  guarded: MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
};

/**
 * Makes a mount that is nowhere yet: in no namespace, reachable by its file descriptor alone.
 *
 * @returns the descriptor; when the last one of it is closed, the mount is gone, unless it
 *          was moved to a place
 * @see open_tree(2), fsmount(2)
 */
export function newMount(spec: MountSpec, mode: MountMode): number {
  if (spec.type === "bind") return cloneTree(spec, mode);
  const before = process.cwd();
  if (spec.directory !== undefined) process.chdir(spec.directory);
  try {
    return mountContext(spec, mode);
  } finally {
    if (spec.directory !== undefined) process.chdir(before);
  }
}

/** open_tree(2), mount_setattr(2): mount(2) binds first and protects later. */
function cloneTree(spec: MountSpec, mode: MountMode): number {
  const place = { path: spec.source };
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  const fd = invoke("open_tree", [AT_FDCWD, cString(spec.source), flags], place);
  try {
    // struct mount_attr: attr_set, attr_clr, propagation, userns_fd; 64 bits each.
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(BigInt(ATTRIBUTES[mode]), 0);
    const set = [fd, cString(""), AT_EMPTY_PATH, attributes, attributes.length] as const;
    if (mode !== "rw") invoke("mount_setattr", set, place);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** fsopen(2), an fsconfig(2) for each option, fsmount(2). */
function mountContext(spec: MountSpec, mode: MountMode): number {
  const place = { path: spec.source };
  const context = invoke("fsopen", [cString(spec.type), FSOPEN_CLOEXEC], place);
  try {
    const set = (key: string, value: string) =>
      invoke("fsconfig", [context, FSCONFIG_SET_STRING, cString(key), cString(value), 0], place);
    const flag = (key: string) =>
      invoke("fsconfig", [context, FSCONFIG_SET_FLAG, cString(key), NULL, 0], place);
    set("source", spec.source);
    // A file system on a device that is read-only must be told before it looks. Others would be
    // made read-only for whoever has them mounted too, or refuse.
    if (mode !== "rw" && spec.source.startsWith("/dev/")) flag("ro");
    for (const option of spec.options) {
      const equals = option.indexOf("=");
      if (equals > 0) set(option.slice(0, equals), option.slice(equals + 1));
      else if (option !== "ro" && option !== "rw") flag(option);
    }
    invoke("fsconfig", [context, FSCONFIG_CMD_CREATE, NULL, NULL, 0], place);
    return invoke("fsmount", [context, FSMOUNT_CLOEXEC, ATTRIBUTES[mode]], place);
  } finally {
    closeSync(context);
  }
}
