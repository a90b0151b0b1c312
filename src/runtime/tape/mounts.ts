import { posix } from "node:path";
import type { Mount } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { SUBPATH } from "../mounts/mount-point.ts";
import { mapMount, setAttributes } from "./attributes.ts";
import type { MountOptions } from "./mount-options.ts";
import { parseMountOptions } from "./mount-options.ts";
import { mountFileSystem } from "./rootfs.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { flags } from "./tape.ts";
import { directoryTarget, mountTarget, OPEN_HOW_SIZE, openHow, relativeToRoot } from "./target.ts";

const ONTO_DESCRIPTOR = flags("MOVE_MOUNT_F_EMPTY_PATH", "MOVE_MOUNT_T_EMPTY_PATH");

/** Files below /proc that lxcfs and its like put their own versions over. */
const ALLOWED_IN_PROC = new Set(
  [
    "cpuinfo",
    "diskstats",
    "loadavg",
    "meminfo",
    "net/dev",
    "slabinfo",
    "stat",
    "swaps",
    "uptime",
  ].map((name) => `proc/${name}`),
);

/** A cgroup directory of the container, and the name under which it is shown. */
export interface CgroupView {
  readonly directory: string;
  /** `memory`; "." for a unified hierarchy. */
  readonly name: string;
}

/**
 * Performs the spec's mounts below `root`, in its order but for one thing: /proc and /sys come
 * last, with what is mounted below them. A link of the image that leads a volume there then
 * finds what the image has, over which the kernel's own comes.
 */
export function mountAll(
  steps: Steps,
  root: Register,
  mounts: readonly Mount[],
  cgroups: readonly CgroupView[],
  opened: OpenedSources = new Map(),
): void {
  const kernels = (mount: Mount) => /^(proc|sys)(\/|$)/.test(relativeToRoot(mount.destination));
  const ordered = [...mounts.filter((it) => !kernels(it)), ...mounts.filter(kernels)];
  for (const mount of ordered) {
    if (relativeToRoot(mount.destination) === ".") {
      throw new TsimgError("ERR_USAGE", `a mount over the container's root "/" is not possible`);
    }
    steps.scope(() => {
      const options = parseMountOptions(mount.options);
      if (isBind(mount)) bindMount(steps, root, mount, opened.get(mount));
      else if (mount.type === "cgroup" || mount.type === "cgroup2") {
        cgroupMount(steps, root, mount, cgroups);
      } else newMount(steps, root, mount, options, opened.get(mount));
    });
  }
}

/** Attaches a mount that isn't attached anywhere to what `target` refers to. */
export function attach(steps: Steps, mount: Register, target: Register, why: string): void {
  steps.call("move_mount", [mount, "", target, "", ONTO_DESCRIPTOR], why, {
    hint: "a file can only be mounted on a file, a directory on a directory",
  });
}

const CLONE = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC");
const CLONE_ALL = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC", "AT_RECURSIVE");
const CLONE_OPEN = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC", "AT_EMPTY_PATH");
const CLONE_ALL_OPEN = flags(
  "OPEN_TREE_CLONE",
  "OPEN_TREE_CLOEXEC",
  "AT_RECURSIVE",
  "AT_EMPTY_PATH",
);
const HERE = flags("AT_FDCWD");

/** A copy of the mount (tree) at a host path, or of the one behind a descriptor. */
export function cloneTree(
  steps: Steps,
  source: string | Register,
  why: string,
  reach: "mount" | "tree",
  hint?: string,
): Register {
  const tree = reach === "tree";
  return typeof source === "string"
    ? steps.keep("open_tree", [HERE, source, tree ? CLONE_ALL : CLONE], why, { hint })
    : steps.keep("open_tree", [source, "", tree ? CLONE_ALL_OPEN : CLONE_OPEN], why, { hint });
}

function newMount(
  steps: Steps,
  root: Register,
  mount: Mount,
  options: MountOptions,
  context: Register | undefined,
): void {
  const why = `mounting ${mount.type} on "${mount.destination}"`;
  const made = steps.register();
  mountFileSystem(steps, mount.type, mount.source, options.data, {
    attributes: options.set,
    why,
    into: made,
    context,
  });
  if (context !== undefined) steps.call("procfsCheck", [made], why);
  setAttributes(steps, made, { ...options, set: [], clear: [] }, why, "mount");
  // What the kernel shows there is trusted by everything later: no link may move it.
  const links = mount.type === "proc" || mount.type === "sysfs" ? "refuse" : "follow";
  attach(steps, made, directoryTarget(steps, root, mount.destination, links), why);
}

/** Sources of binds, and contexts of new mounts, that somebody else has opened. */
export type OpenedSources = ReadonlyMap<Mount, Register>;

/**
 * Opens the sources of all binds, in the launcher: from inside a user namespace neither their
 * paths nor the mounts below them can be had.
 *
 * @param mapping what owners are mapped by where `idmap` is asked for
 */
export function openSources(
  steps: Steps,
  mounts: readonly Mount[],
  mapping: Register | undefined,
): OpenedSources {
  const binds = mounts.filter(isBind);
  return new Map(
    binds.map((mount) => {
      const source = openSource(steps, mount);
      const wants = mount.options.some((option) => /^r?idmap$/.test(option));
      const why = `mapping the owners of "${mount.source}"`;
      if (wants && mapping !== undefined) mapMount(steps, source, mapping, why, "prefer");
      return [mount, source] as const;
    }),
  );
}

function isBind({ type, options }: Mount): boolean {
  return type === "bind" || options.includes("bind") || options.includes("rbind");
}

function bindMount(steps: Steps, root: Register, mount: Mount, opened: Register | undefined): void {
  const relative = relativeToRoot(mount.destination);
  if (/^proc(\/|$)/.test(relative) && !ALLOWED_IN_PROC.has(relative)) {
    throw new TsimgError(
      "ERR_USAGE",
      `"${mount.source}" cannot be mounted on "${mount.destination}": it is inside "/proc"`,
      { hint: "mount it somewhere else" },
    );
  }
  const why = `mounting "${mount.source}" on "${mount.destination}"`;
  const source = opened ?? openSource(steps, mount);
  attach(steps, source, mountTarget(steps, root, mount.destination, source), why);
}

/** A copy of what is to be bound, with its options, attached nowhere. */
function openSource(steps: Steps, mount: Mount): Register {
  const options = parseMountOptions(mount.options);
  const why = `mounting "${mount.source}" on "${mount.destination}"`;
  const reach = options.recursive ? "tree" : "mount";
  const hint = `check that "${mount.source}" exists on this machine`;
  const part = options.data.find((option) => option.startsWith(SUBPATH));
  const found = part === undefined ? mount.source : findPart(steps, mount.source, part, why);
  const source = cloneTree(steps, found, why, reach, hint);
  setAttributes(steps, source, options, why, "tree");
  return source;
}

/** The part of a volume that is to be shown: links that containers put there lead nowhere out. */
function findPart(steps: Steps, source: string, option: string, why: string): Register {
  const part = option.slice(SUBPATH.length);
  const volume = source.slice(0, -part.length - 1);
  const directory = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC");
  const root = steps.keep("openat", [HERE, volume, directory], why);
  const how = openHow(["O_PATH", "O_CLOEXEC"]);
  return steps.keep("openat2", [root, part, how, OPEN_HOW_SIZE], why);
}

/**
 * The container's own cgroups, bound from the host: one directory when the hierarchy is
 * unified, else a small tmpfs with one a controller, as programs look for them.
 */
function cgroupMount(
  steps: Steps,
  root: Register,
  mount: Mount,
  cgroups: readonly CgroupView[],
): void {
  const { set } = parseMountOptions(mount.options);
  const why = `mounting cgroups on "${mount.destination}"`;
  const options = parseMountOptions(mount.options.filter((it) => !it.startsWith("mode=")));
  const unified = cgroups.find((view) => view.name === ".");
  if (unified !== undefined && cgroups.length === 1) {
    const tree = cloneTree(steps, unified.directory, why, "mount");
    setAttributes(steps, tree, options, why, "mount");
    attach(steps, tree, directoryTarget(steps, root, mount.destination), why);
    return;
  }
  const made = steps.register();
  const writable = set.filter((it) => it !== "MOUNT_ATTR_RDONLY");
  mountFileSystem(steps, "tmpfs", "tmpfs", ["mode=755"], {
    attributes: writable,
    why,
    into: made,
  });
  attach(steps, made, directoryTarget(steps, root, mount.destination), why);
  for (const view of cgroups) {
    steps.scope(() => {
      const tree = cloneTree(steps, view.directory, why, "mount");
      setAttributes(steps, tree, options, why, "mount");
      const path = posix.join(mount.destination, view.name);
      attach(steps, tree, directoryTarget(steps, root, path), why);
    });
  }
  setAttributes(steps, made, options, why, "mount");
}
