import type { ContainerConfig } from "../oci/image-config.ts";
import type { IdMapping, Mount, Spec } from "../oci/runtime-spec.ts";
import type { AppArmorHost } from "./apparmor.ts";
import { parseAnnotations } from "./container/labels.ts";
import type { DeviceLookup } from "./device-flags.ts";
import type { DeviceNumbers } from "./device-numbers.ts";
import type { EnvFile } from "./environment.ts";
import { combineMounts, defaultMounts } from "./mounts/default-mounts.ts";
import { networkFileMounts } from "./network/network-files.ts";
import type { NetworkRequest } from "./network/network-request.ts";
import type { RunFlags } from "./run-flags.ts";
import type { MachineArch } from "./seccomp/architectures.ts";
import { parseShmSize, withShmSize } from "./shared-memory.ts";
import { linuxOf } from "./spec/linux-part.ts";
import { chooseModes, type Modes } from "./spec/modes.ts";
import { processOf } from "./spec/process-part.ts";
import type { Accounts } from "./user.ts";
import type { IdMaps } from "./userns/choose-maps.ts";

/** The parts of an image configuration that say how a container starts. */
export type StartConfig = Pick<
  ContainerConfig,
  "User" | "Env" | "Entrypoint" | "Cmd" | "WorkingDir"
>;

export interface SpecInput {
  readonly config: StartConfig;
  readonly flags: RunFlags;
  /** What its network flags say. */
  readonly network: NetworkRequest;
  /** 64 hex digits. */
  readonly containerId: string;
  /** Absolute: where the image's root file system will be mounted. */
  readonly rootfs: string;
  /** From the image's root file system. */
  readonly accounts: Accounts;
  /** One for each of `flags.envFile`, read. */
  readonly envFiles: readonly EnvFile[];
  /** The text of the profile that `--security-opt seccomp=` names. */
  readonly seccompProfile?: string;
  /** Absolute: the files generated for it are there, or in another container's. */
  readonly filesDirectory: string;
  /** What is mounted besides what every container has: parents before children. */
  readonly mounts: readonly Mount[];
  /** Of a user namespace of its own. */
  readonly maps?: IdMaps;
  readonly host: HostFacts;
}

export interface HostFacts {
  readonly arch: MachineArch;
  /** As `uname -r` has it. */
  readonly kernel: string;
  readonly hostname: string;
  /** Names of the capabilities that tsimg itself has and may hand on. */
  readonly capabilities: readonly string[];
  /** Whether a cgroup can limit a container's devices. */
  readonly devicesLimited: boolean;
  /** Of the block devices that flags name, by path. */
  readonly deviceNumbers?: DeviceNumbers;
  readonly lookupDevices: DeviceLookup;
  /** Files that tell of the CPUs' heat. */
  readonly thermalPaths: readonly string[];
  readonly appArmor: AppArmorHost;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Those that this process's user namespace has. */
  readonly groups: readonly IdMapping[];
}

/**
 * Joins an image's configuration and a user's flags into a runtime spec. Where a flag is
 * silent and the image too, docker's defaults hold. Namespaces of other containers have a
 * path that holds as long as these run: see `joinOthers`.
 *
 * @throws TsimgError ERR_USAGE, ERR_CONFIG_INVALID naming the flag or the image's mistake
 * @see OCI runtime-spec 1.2, config.md; OCI image-spec 1.1, conversion.md
 */
export function createSpec(input: SpecInput): Spec {
  const { flags, network } = input;
  const modes = chooseModes(flags, network);
  const hostname = hostnameOf(input, modes);
  // A name that isn't the container's own is not its to set.
  const owns = modes.uts.kind === "private";
  return {
    ociVersion: "1.1.0",
    root: { path: input.rootfs, readonly: flags.readOnly },
    ...(owns ? { hostname } : {}),
    ...(owns && network.domainname !== undefined ? { domainname: network.domainname } : {}),
    process: processOf(input, hostname),
    mounts: mountsOf(input, modes),
    linux: linuxOf(input, modes),
    ...(flags.annotation.length === 0 ? {} : { annotations: parseAnnotations(flags.annotation) }),
  };
}

/** What the container's environment calls it, and its kernel when the name is its own. */
function hostnameOf({ network, host, containerId }: SpecInput, modes: Modes): string {
  if (network.hostname !== undefined) return network.hostname;
  const hosts = modes.uts.kind === "host" || network.choice.kind === "host";
  return hosts ? host.hostname : containerId.slice(0, 12);
}

function mountsOf(
  { flags, filesDirectory, mounts, maps, host }: SpecInput,
  modes: Modes,
): readonly Mount[] {
  const taken = new Set(mounts.map(({ destination }) => destination));
  const files = networkFileMounts(filesDirectory).filter(
    ({ destination }) => !taken.has(destination),
  );
  const groups = maps?.gidMappings ?? host.groups;
  const own = withShmSize(
    defaultMounts(flags.privileged).map((mount) => withTty(mount, groups)),
    parseShmSize(flags.shmSize),
  );
  const all = combineMounts([...sharedMemory(own, modes.ipc.kind, maps), ...files], mounts);
  return maps === undefined
    ? all
    : all.map((mount) => withMappedOwners(mount, filesDirectory, maps));
}

/** A terminal's group has to be one that the container can name. */
function withTty(mount: Mount, groups: readonly IdMapping[]): Mount {
  const named = (id: number) =>
    groups.some((one) => id >= one.containerID && id < one.containerID + one.size);
  const fits = (option: string) => !option.startsWith("gid=") || named(Number(option.slice(4)));
  return mount.type === "devpts" ? { ...mount, options: mount.options.filter(fits) } : mount;
}

/**
 * What tsimg keeps for the container is shown with the owners that the container knows; a
 * directory of the user's stays whose it is.
 */
function withMappedOwners(mount: Mount, filesDirectory: string, maps: IdMaps): Mount {
  if (mount.type === "devpts") return { ...mount, options: mappedGroup(mount.options, maps) };
  const generated = mount.source.startsWith(`${filesDirectory}/`);
  const volume = mount.type === "bind" && mount.source.endsWith("/_data");
  return generated || volume ? { ...mount, options: [...mount.options, "idmap"] } : mount;
}

/** Terminals are root's where the group tty isn't mapped: the kernel refuses one it can't name. */
function mappedGroup(options: readonly string[], { gidMappings }: IdMaps): readonly string[] {
  const isMapped = (id: number) =>
    gidMappings.some(({ containerID, size }) => containerID <= id && id < containerID + size);
  return options.filter((option) => {
    const group = /^gid=(\d+)$/.exec(option)?.[1];
    return group === undefined || isMapped(Number(group));
  });
}

/** Memory and queues belong to whoever the IPC namespace belongs to. */
function sharedMemory(
  mounts: readonly Mount[],
  ipc: Modes["ipc"]["kind"],
  maps: IdMaps | undefined,
): readonly Mount[] {
  // A new mount of queues shows the namespace's own, too, and needs none on the host; but who
  // has mapped users may not make it.
  const HOSTS = maps === undefined ? ["/dev/shm"] : ["/dev/shm", "/dev/mqueue"];
  // Another container's is put in its place when it starts.
  if (ipc === "none" || ipc === "container")
    return mounts.filter(({ destination }) => destination !== "/dev/shm");
  if (ipc !== "host") return mounts;
  return mounts.map((mount) =>
    HOSTS.includes(mount.destination)
      ? { ...mount, type: "bind", source: mount.destination, options: ["rbind", "rprivate", "rw"] }
      : mount,
  );
}
