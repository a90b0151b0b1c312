import { closeSync } from "node:fs";
import { cString, invoke } from "./libc.ts";
import type { MountSpec } from "./mount-spec.ts";
import { mountPrivately } from "./private-mounts.ts";

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
const NULL = 0;
/** Longest string that fsconfig(2) takes, its NUL included. */
const MAX_STRING = 256;

/**
 * A mounted tree that only this process can reach, by `path`, until it is disposed. `path`
 * itself is a symlink: its root is `path` with "/." behind it.
 */
export interface OpenMount extends Disposable {
  readonly path: string;
}

/**
 * Mounts a tree nowhere: it belongs to no mount namespace, so nobody sees it, no child
 * process keeps a copy of it, and it vanishes with this process, however it ends.
 *
 * @param directory where to mount it in a namespace of this thread's own, should the kernel
 *                  be too old for this mount's options
 * @see fsmount(2), open_tree(2)
 */
export function openMount(
  specs: readonly MountSpec[],
  mode: "ro" | "rw",
  directory: () => string,
): OpenMount {
  const [spec] = specs;
  const fits = spec?.options.every((option) => option.length < MAX_STRING) === true;
  if (spec === undefined || specs.length > 1 || !fits) {
    const path = directory();
    const mount = mountPrivately(specs, path, mode);
    return { path, [Symbol.dispose]: () => mount[Symbol.dispose]() };
  }
  const fd = detachedMount(spec, mode);
  let open = true;
  return {
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** @returns a file descriptor of the mount's root */
function detachedMount(spec: MountSpec, mode: "ro" | "rw"): number {
  if (spec.type === "bind") return clonedTree(spec, mode);
  const before = process.cwd();
  if (spec.directory !== undefined) process.chdir(spec.directory);
  try {
    return newMount(spec, mode);
  } finally {
    if (spec.directory !== undefined) process.chdir(before);
  }
}

function clonedTree(spec: MountSpec, mode: "ro" | "rw"): number {
  const place = { path: spec.source };
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  const fd = invoke("open_tree", [AT_FDCWD, cString(spec.source), flags], place);
  if (mode === "rw") return fd;
  try {
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_RDONLY), 0);
    invoke("mount_setattr", [fd, cString(""), AT_EMPTY_PATH, attributes, 32], place);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function newMount(spec: MountSpec, mode: "ro" | "rw"): number {
  const place = { path: spec.source };
  const context = invoke("fsopen", [cString(spec.type), FSOPEN_CLOEXEC], place);
  try {
    const set = (key: string, value: string) =>
      invoke("fsconfig", [context, FSCONFIG_SET_STRING, cString(key), cString(value), 0], place);
    const flag = (key: string) =>
      invoke("fsconfig", [context, FSCONFIG_SET_FLAG, cString(key), NULL, 0], place);
    set("source", spec.source);
    if (mode === "ro") flag("ro");
    for (const option of spec.options) {
      const equals = option.indexOf("=");
      if (equals > 0) set(option.slice(0, equals), option.slice(equals + 1));
      else if (option !== "ro" && option !== "rw") flag(option);
    }
    invoke("fsconfig", [context, FSCONFIG_CMD_CREATE, NULL, NULL, 0], place);
    const attributes = mode === "ro" ? MOUNT_ATTR_RDONLY : 0;
    return invoke("fsmount", [context, FSMOUNT_CLOEXEC, attributes], place);
  } finally {
    closeSync(context);
  }
}
