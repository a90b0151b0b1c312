import { posix } from "node:path";
import type { MountSpec } from "../../sys/mount-spec.ts";
import { hostId, mountMappedRoot, openMapping } from "./mapped-root.ts";
import { type OpenedSources, openSources } from "./mounts.ts";
import { userNamespaceOf } from "./namespaces.ts";
import type { LaunchRequest } from "./request.ts";
import { prepareRoot } from "./rootfs.ts";
import type { Steps } from "./steps.ts";
import { OWN_PIPES, type Register } from "./tape.ts";

/*
 * The launcher's part for a container in a user namespace, or on a block device: what needs
 * rights that the child doesn't have there, or no longer has in its cgroup.
 */

/** Mounts that a child has no right to make. */
export interface Prepared {
  readonly root: Register;
  readonly sources: OpenedSources;
  readonly mapping: Register | undefined;
}

/** @returns undefined for a container that makes its mounts itself */
export function prepareInLauncher(steps: Steps, request: LaunchRequest): Prepared | undefined {
  const { spec, rootMounts, imageMaps, stateDirectory } = request;
  if (userNamespaceOf(spec.linux.namespaces) === undefined && !isOnDevice(rootMounts))
    return undefined;
  const mapping = imageMaps === undefined ? undefined : openMapping(steps, spec.linux, imageMaps);
  const scratch = posix.join(stateDirectory, "layers");
  const plain: MountSpec = {
    type: "bind",
    source: spec.root.path,
    options: ["rbind"],
    api: "mount",
  };
  const root =
    mapping === undefined || imageMaps === undefined
      ? prepareRoot(steps, rootMounts[0] ?? plain)
      : mountMappedRoot(steps, rootMounts, scratch, mapping, imageMaps);
  const sources = openSources(steps, spec.mounts, mapping);
  // From there the child can attach the root without having the right to walk the path.
  steps.call("chdir", [spec.root.path], "entering the place of the container's root");
  return { root, sources, mapping };
}

/** The container's cgroup doesn't let it open the device that it lies on. */
function isOnDevice(mounts: readonly MountSpec[]): boolean {
  return mounts.length === 1 && mounts[0]?.source.startsWith("/dev/") === true;
}

/** The child has them; the launcher would keep them mounted. */
export function letGo(steps: Steps, { root, sources, mapping }: Prepared): void {
  const why = "leaving the container's mounts to it";
  steps.call("chdir", ["/"], why);
  const held = [root, ...sources.values(), ...(mapping === undefined ? [] : [mapping])];
  for (const descriptor of held) steps.call("close", [descriptor], why);
}

/** Streams of the caller's; and once it has joined a namespace the launcher gives nothing away. */
const NOT_OURS = ["EBADF", "EINVAL", "EPERM"] as const;

/**
 * So that the container's root can open its own standard streams again. Pipes alone: whatever
 * else the caller has there, /dev/null or a file, is the host's and stays so.
 */
export function giveStreams(steps: Steps, { spec, imageMaps }: LaunchRequest): void {
  if (userNamespaceOf(spec.linux.namespaces) === undefined) return;
  const { uidMappings = [], gidMappings = [] } = imageMaps ?? spec.linux;
  const { uid, gid } = spec.process.user;
  const owner = [hostId(uidMappings, uid), hostId(gidMappings, gid)];
  // Never what is the caller's: its standard input may be the host's /dev/null.
  for (const pipe of OWN_PIPES) {
    const why = "giving the container its standard streams";
    steps.call("fchown", [pipe, ...owner], why, { tolerate: NOT_OURS });
  }
}
