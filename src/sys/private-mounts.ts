import { closeSync } from "node:fs";
import { cString, invoke } from "./libc.ts";
import type { MountSpec } from "./mount-spec.ts";

const CLONE_NEWNS = 0x0002_0000;
const MS_RDONLY = 1;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_PRIVATE = 1 << 18;
const MNT_DETACH = 2;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_RDONLY = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const AT_FDCWD = -100;
const NULL = 0;

let isolated = false;

/**
 * Gives this thread a mount namespace of its own: what it mounts from now on is seen by
 * nobody else and vanishes with the process, however it ends.
 *
 * Only synchronous calls on this thread see these mounts; the asynchronous calls of
 * `node:fs` run on other threads, which stay in the old namespace.
 * @see unshare(2), mount_namespaces(7)
 */
export function enterPrivateMountNamespace(): void {
  if (isolated) return;
  invoke("unshare", [CLONE_NEWNS]);
  invoke("mount", [cString("none"), cString("/"), NULL, MS_REC | MS_PRIVATE, NULL], { path: "/" });
  isolated = true;
}

/**
 * Mounts `specs` in order on `target` in a mount namespace of this thread's own. Disposing
 * takes them off again.
 */
export function mountPrivately(
  specs: readonly MountSpec[],
  target: string,
  mode: "ro" | "rw" = "ro",
): Disposable {
  enterPrivateMountNamespace();
  for (const spec of specs) {
    const before = process.cwd();
    if (spec.directory !== undefined) process.chdir(spec.directory);
    try {
      if (spec.api === "fsconfig") mountByContext(spec, target, mode);
      else mountByPage(spec, target, mode);
    } finally {
      if (spec.directory !== undefined) process.chdir(before);
    }
  }
  return {
    [Symbol.dispose]() {
      for (let index = 0; index < specs.length; index++)
        invoke("umount2", [cString(target), MNT_DETACH], { path: target });
    },
  };
}

/** One mount(2) call: all options in one string of at most a page. */
function mountByPage(spec: MountSpec, target: string, mode: "ro" | "rw"): void {
  const bind = spec.type === "bind";
  const data = spec.options.filter((option) => option !== "ro").join(",");
  const type = bind ? NULL : cString(spec.type);
  const flags = bind ? MS_BIND : mode === "ro" ? MS_RDONLY : 0;
  const place = { path: spec.source, dest: target };
  invoke("mount", [cString(spec.source), cString(target), type, flags, cString(data)], place);
}

/** fsopen(2), an fsconfig(2) for each option, fsmount(2), move_mount(2). */
function mountByContext(spec: MountSpec, target: string, mode: "ro" | "rw"): void {
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
    const attributes = mode === "ro" ? MOUNT_ATTR_RDONLY : 0;
    const mount = invoke("fsmount", [context, FSMOUNT_CLOEXEC, attributes], place);
    try {
      const from = [mount, cString("")] as const;
      const to = [AT_FDCWD, cString(target)] as const;
      invoke("move_mount", [...from, ...to, MOVE_MOUNT_F_EMPTY_PATH], place);
    } finally {
      closeSync(mount);
    }
  } finally {
    closeSync(context);
  }
}
