import { TsimgError } from "../../sys/error.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import { setAttributes } from "./attributes.ts";
import type { ConstantName } from "./constants.ts";
import { parseMountOptions } from "./mount-options.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { flags } from "./tape.ts";

/** mount(2) copies at most a page of options and cuts the rest without a word. */
const MOUNT_DATA_MAX = 4095;

const EMPTY_TO_PATH = flags("MOVE_MOUNT_F_EMPTY_PATH");

/**
 * Mounts the container's root at `path` (trusted, on the host) and answers with a descriptor
 * of it. Without mounts the directory itself becomes a mount point, as pivot_root needs one.
 */
export function mountRoot(steps: Steps, path: string, mounts: readonly MountSpec[]): Register {
  const itself: MountSpec = { type: "bind", source: path, options: ["rbind"], api: "mount" };
  const root = steps.register();
  for (const mount of mounts.length === 0 ? [itself] : mounts) {
    steps.scope(() => mountOne(steps, path, mount, root));
  }
  return root;
}

/** A root of one mount, attached nowhere: for whoever attaches it elsewhere. */
export function prepareRoot(steps: Steps, mount: MountSpec): Register {
  const why = `mounting ${mount.type} on "/"`;
  const options = parseMountOptions(mount.options);
  const root = steps.register();
  if (mount.directory !== undefined) steps.call("chdir", [mount.directory], why);
  if (options.bind || mount.type === "bind") {
    const recursive: readonly ConstantName[] = options.recursive ? ["AT_RECURSIVE"] : [];
    const how = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC", ...recursive);
    steps.keep("open_tree", [flags("AT_FDCWD"), mount.source, how], why, { into: root });
    setAttributes(steps, root, options, why, "tree");
    return root;
  }
  const readOnly = mount.options.includes("ro") ? ["ro"] : [];
  mountFileSystem(steps, mount.type, mount.source, [...readOnly, ...options.data], {
    attributes: options.set,
    why,
    into: root,
  });
  return root;
}

/** Attaches a root that was prepared where the caller's working directory is. */
export function placeRoot(steps: Steps, root: Register): void {
  // Not ".": that would ask for the right to search the directory.
  const how = flags("MOVE_MOUNT_F_EMPTY_PATH", "MOVE_MOUNT_T_EMPTY_PATH");
  const args = [root, "", flags("AT_FDCWD"), "", how];
  steps.call("move_mount", args, 'mounting the prepared root on "/"');
}

function mountOne(steps: Steps, path: string, mount: MountSpec, root: Register): void {
  const why = `mounting ${mount.type} on "/"`;
  const options = parseMountOptions(mount.options);
  const bind = options.bind || mount.type === "bind";
  if (mount.directory !== undefined) {
    steps.call("chdir", [mount.directory], why, {
      hint: `the storage driver's directory "${mount.directory}" is missing`,
    });
  }
  if (bind) {
    const recursive: readonly ConstantName[] = options.recursive ? ["AT_RECURSIVE"] : [];
    const how = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC", ...recursive);
    steps.keep("open_tree", [flags("AT_FDCWD"), mount.source, how], why, { into: root });
    setAttributes(steps, root, options, why, "tree");
    steps.call("move_mount", [root, "", flags("AT_FDCWD"), path, EMPTY_TO_PATH], why);
  } else if (mount.api === "fsconfig") {
    // Read-only for the file system as well as the mount: erofs and friends want it.
    const readOnly = mount.options.includes("ro") ? ["ro"] : [];
    mountFileSystem(steps, mount.type, mount.source, [...readOnly, ...options.data], {
      attributes: options.set,
      why,
      into: root,
    });
    steps.call("move_mount", [root, "", flags("AT_FDCWD"), path, EMPTY_TO_PATH], why);
  } else {
    const data = options.data.join(",");
    if (Buffer.byteLength(data) > MOUNT_DATA_MAX) {
      throw new TsimgError(
        "ERR_LAUNCH",
        `the ${mount.type} mount of the root has ${Buffer.byteLength(data)} bytes of options, mount(2) takes ${MOUNT_DATA_MAX}`,
        { hint: "the storage driver must use fsconfig for this many layers" },
      );
    }
    steps.call("mount", [mount.source, path, mount.type, flags(...options.mountFlags), data], why);
    const how = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC");
    steps.keep("openat", [flags("AT_FDCWD"), path, how], why, { into: root });
  }
}

/** A mount of a new file system that isn't attached anywhere yet. */
export function mountFileSystem(
  steps: Steps,
  type: string,
  source: string,
  data: readonly string[],
  mount: {
    readonly attributes: readonly ConstantName[];
    readonly why: string;
    readonly into: Register;
    /** Of fsopen(2), by somebody else. */
    readonly context?: Register | undefined;
  },
): void {
  const { why, into } = mount;
  const context =
    mount.context ??
    steps.keep("fsopen", [type, flags("FSOPEN_CLOEXEC")], why, {
      hint: `this kernel may lack the file system "${type}": see /proc/filesystems`,
    });
  const set = (key: string, value: string | undefined) =>
    steps.call(
      "fsconfig",
      value === undefined
        ? [context, flags("FSCONFIG_SET_FLAG"), key, 0, 0]
        : [context, flags("FSCONFIG_SET_STRING"), key, value, 0],
      `${why}, option ${value === undefined ? key : `${key}=${value}`}`,
    );
  set("source", source);
  for (const option of data) {
    const equals = option.indexOf("=");
    if (equals < 0) set(option, undefined);
    else set(option.slice(0, equals), option.slice(equals + 1));
  }
  steps.call("fsconfig", [context, flags("FSCONFIG_CMD_CREATE"), 0, 0, 0], why);
  const args = [context, flags("FSMOUNT_CLOEXEC"), flags(...mount.attributes)];
  steps.keep("fsmount", args, why, { into });
}
