import { posix } from "node:path";
import type { IdMapping, Linux } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import type { IdMaps } from "../userns/choose-maps.ts";
import { mapMount } from "./attributes.ts";
import { userNamespaceOf } from "./namespaces.ts";
import { mountFileSystem, prepareRoot } from "./rootfs.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { flags, mode } from "./tape.ts";
import { mapText } from "./user-namespace.ts";

/*
 * A root for a container in a user namespace, made by the launcher, which still has the rights
 * for it, and attached nowhere. Owners of the image's files are mapped by the mount, so that
 * no file is changed: Documentation/filesystems/idmappings.rst.
 */

const MAPPING = "mapping the owners of the image's files";
const ONTO_PATH = flags("MOVE_MOUNT_F_EMPTY_PATH");
const DIRECTORY = mode(0o700);

/** A user namespace to map mounts by: the one to be joined, or one like that to be made. */
export function openMapping(steps: Steps, { namespaces }: Linux, maps: IdMaps): Register {
  const { uidMappings, gidMappings } = maps;
  const joined = userNamespaceOf(namespaces)?.path;
  if (joined !== undefined) {
    const why = `opening the user namespace "${joined}"`;
    return steps.keep("openat", [flags("AT_FDCWD"), joined, flags("O_CLOEXEC")], why);
  }
  const args = [mapText(uidMappings), mapText(gidMappings)];
  const into = steps.register();
  steps.call("userns", args, "making a user namespace to map mounts by", { into });
  return into;
}

/**
 * The container's root as its user namespace is to see it.
 *
 * An overlay maps its lower layers. Its upper layer has the container's files with the owners
 * that they have on the host: the kernel makes whiteouts and work files there as root, whom no
 * map of a container's has. Everything else is mapped as a whole.
 *
 * @param scratch a directory of the container's own, to mount layers in for a moment
 */
export function mountMappedRoot(
  steps: Steps,
  specs: readonly MountSpec[],
  scratch: string,
  mapping: Register,
  maps: IdMaps,
): Register {
  const [spec, ...others] = specs;
  if (spec === undefined || others.length > 0) {
    throw new TsimgError("ERR_LAUNCH", "the root of a container with user namespace is one mount");
  }
  if (spec.type === "overlay") return mapOverlay(steps, spec, scratch, mapping, maps);
  const root = prepareRoot(steps, spec);
  mapMount(steps, root, mapping, MAPPING, "require");
  return root;
}

function mapOverlay(
  steps: Steps,
  spec: MountSpec,
  scratch: string,
  mapping: Register,
  maps: IdMaps,
): Register {
  if (spec.api !== "fsconfig") {
    throw new TsimgError("ERR_KERNEL", "user namespaces over layers need Linux 6.8", {
      hint: "use --userns host, or the driver vfs or btrfs, which maps its mount as a whole",
    });
  }
  const root = steps.register();
  steps.scope(() => {
    const here = [flags("AT_FDCWD"), "/proc/self/ns/mnt", flags("O_CLOEXEC")];
    const own = steps.keep("openat", here, MAPPING);
    steps.call("unshare", [flags("CLONE_NEWNS")], MAPPING);
    steps.call("mount", ["none", "/", 0, flags("MS_REC", "MS_PRIVATE"), 0], MAPPING);
    if (spec.directory !== undefined) steps.call("chdir", [spec.directory], MAPPING);
    makeDirectory(steps, scratch);
    const options = spec.options.map((option, index) =>
      option.startsWith("lowerdir+=")
        ? `lowerdir+=${mapLayer(steps, option.slice("lowerdir+=".length), `${scratch}/${index}`, mapping)}`
        : option,
    );
    const upper = spec.options.find((option) => option.startsWith("upperdir="));
    if (upper !== undefined) ownUpper(steps, upper.slice("upperdir=".length), maps);
    const why = 'mounting overlay on "/"';
    mountFileSystem(steps, "overlay", spec.source, options, { attributes: [], why, into: root });
    // With it go the layers' own mounts; the overlay has copies.
    steps.call("setns", [own, flags("CLONE_NEWNS")], MAPPING);
    steps.call("close", [own], MAPPING);
  });
  return root;
}

/** @returns where the mapped layer is mounted */
function mapLayer(steps: Steps, layer: string, target: string, mapping: Register): string {
  makeDirectory(steps, target);
  steps.scope(() => {
    const how = flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC");
    const tree = steps.keep("open_tree", [flags("AT_FDCWD"), layer, how], MAPPING);
    mapMount(steps, tree, mapping, MAPPING, "require");
    steps.call("move_mount", [tree, "", flags("AT_FDCWD"), target, ONTO_PATH], MAPPING);
    steps.call("close", [tree], MAPPING);
  });
  return target;
}

/** The merged root shows the upper one's owner. */
function ownUpper(steps: Steps, upper: string, maps: IdMaps): void {
  const owner = [hostId(maps.uidMappings, 0), hostId(maps.gidMappings, 0)];
  const nofollow = flags("AT_SYMLINK_NOFOLLOW");
  steps.call("fchownat", [flags("AT_FDCWD"), upper, ...owner, nofollow], MAPPING);
}

/** What an ID of the container's is on the host; -1 for one that isn't mapped. */
export function hostId(mappings: readonly IdMapping[], id: number): number {
  const range = mappings.find((one) => id >= one.containerID && id < one.containerID + one.size);
  return range === undefined ? -1 : range.hostID + (id - range.containerID);
}

function makeDirectory(steps: Steps, path: string): void {
  const why = `making directory "${posix.basename(path)}" to map layers in`;
  steps.call("mkdirat", [flags("AT_FDCWD"), path, DIRECTORY], why, { tolerate: ["EEXIST"] });
}
