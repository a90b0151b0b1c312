import type { ContainerConfig } from "../oci/image-config.ts";
import type { Device, Linux, Mount, Namespace, Process, Spec } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { chooseCapabilities } from "./capabilities.ts";
import { commandLine, workingDirectory } from "./command.ts";
import type { DeviceNumbers } from "./device-numbers.ts";
import { privilegedDevices } from "./devices.ts";
import { buildEnvironment, type EnvFile } from "./environment.ts";
import { cgroupPathOf, limitsOf, oomScoreOf, ownCgroupNamespace } from "./limits.ts";
import { MASKED_PATHS, READONLY_PATHS } from "./masked-paths.ts";
import { combineMounts, defaultMounts } from "./mounts/default-mounts.ts";
import { generatedFileMount, networkFiles } from "./network-files.ts";
import type { RunFlags } from "./run-flags.ts";
import type { MachineArch } from "./seccomp/architectures.ts";
import { defaultSeccomp } from "./seccomp/default-profile.ts";
import { parseSeccompProfile } from "./seccomp/profile-file.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { type Accounts, resolveUser } from "./user.ts";

/** The parts of an image configuration that say how a container starts. */
export type StartConfig = Pick<
  ContainerConfig,
  "User" | "Env" | "Entrypoint" | "Cmd" | "WorkingDir"
>;

export interface SpecInput {
  readonly config: StartConfig;
  readonly flags: RunFlags;
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
  /** Absolute: generated files go here. */
  readonly stateDirectory: string;
  /** What is mounted besides what every container has: parents before children. */
  readonly mounts: readonly Mount[];
  readonly host: HostFacts;
}

export interface HostFacts {
  readonly arch: MachineArch;
  readonly hostname: string;
  /** Names of the capabilities that tsimg itself has and may hand on. */
  readonly capabilities: readonly string[];
  /** Whether a cgroup can limit a container's devices. */
  readonly devicesLimited: boolean;
  /** Of the block devices that flags name, by path. */
  readonly deviceNumbers?: DeviceNumbers;
  /** What is in the host's /dev; needed for privileged containers alone. */
  readonly devices: readonly Device[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Needed on the host's network alone. */
  readonly networkFiles: { readonly hosts?: string; readonly resolvConf?: string };
}

/**
 * Joins an image's configuration and a user's flags into a runtime spec. Where a flag is
 * silent and the image too, docker's defaults hold.
 *
 * @throws TsimgError ERR_USAGE, ERR_CONFIG_INVALID naming the flag or the image's mistake
 * @see OCI runtime-spec 1.1, config.md; OCI image-spec 1.1, conversion.md
 */
export function createSpec(input: SpecInput): Spec {
  const { flags } = input;
  const network = networkOf(flags.network);
  const hostname = hostnameOf(input, network);
  const generated = networkFiles(input.stateDirectory, {
    hostname,
    network,
    hostFiles: input.host.networkFiles,
  });
  const chosen = input.mounts;
  const taken = new Set(chosen.map((mount) => mount.destination));
  const files = generated.filter((file) => !taken.has(file.destination));
  const own = [...defaultMounts(flags.privileged), ...files.map(generatedFileMount)];
  return {
    ociVersion: "1.1.0",
    root: { path: input.rootfs, readonly: flags.readOnly },
    hostname,
    process: processOf(input, hostname),
    mounts: combineMounts(own, chosen),
    linux: linuxOf(input, network),
  };
}

function processOf(input: SpecInput, hostname: string): Process {
  const { flags, config, host } = input;
  const { user, home } = resolveUser(flags.user ?? config.User, input.accounts);
  const capabilities = grantedCapabilities(input);
  const oomScoreAdj = oomScoreOf(flags);
  // Only root's capabilities survive execve: another user's program has none unless it is
  // marked with file capabilities, which the bounding set still limits.
  const held = user.uid === 0 ? capabilities : [];
  return {
    terminal: flags.tty,
    user,
    args: commandLine(flags, config),
    env: buildEnvironment({
      image: config.Env,
      files: input.envFiles,
      flags: flags.env,
      caller: host.environment,
      hostname,
      home,
      tty: flags.tty,
    }),
    cwd: workingDirectory(flags.workdir, config.WorkingDir),
    capabilities: {
      bounding: capabilities,
      effective: held,
      permitted: held,
      inheritable: [],
      ambient: [],
    },
    noNewPrivileges: parseSecurityOptions(flags.securityOpt).noNewPrivileges,
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
  };
}

function linuxOf(input: SpecInput, network: "none" | "host"): Linux {
  const { flags, host } = input;
  const seccomp = seccompOf(input);
  return {
    namespaces: namespacesFor(network).filter(
      ({ type }) => type !== "cgroup" || ownCgroupNamespace(flags),
    ),
    cgroupsPath: cgroupPathOf(flags, input.containerId),
    resources: limitsOf(flags, host.deviceNumbers),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(flags.privileged
      ? { devices: privilegedDevices(host.devices) }
      : { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS }),
  };
}

function seccompOf(input: SpecInput): Linux["seccomp"] {
  const { kind } = parseSecurityOptions(input.flags.securityOpt).seccomp;
  const capabilities = grantedCapabilities(input);
  if (kind === "file") {
    return parseSeccompProfile(input.seccompProfile ?? "", input.host.arch, capabilities);
  }
  if (kind === "unconfined" || input.flags.privileged) return undefined;
  return defaultSeccomp(input.host.arch, capabilities);
}

function grantedCapabilities({ flags, host }: SpecInput): readonly string[] {
  return chooseCapabilities({
    privileged: flags.privileged,
    add: flags.capAdd,
    drop: flags.capDrop,
    available: host.capabilities,
    devicesLimited: host.devicesLimited,
  });
}

function namespacesFor(network: "none" | "host"): readonly Namespace[] {
  const always = ["pid", "mount", "ipc", "uts", "cgroup"] as const;
  const types = network === "host" ? always : ([...always, "network"] as const);
  return types.map((type) => ({ type }));
}

function networkOf(flag: string | undefined): "none" | "host" {
  if (flag === undefined || flag === "none") return "none";
  if (flag === "host") return "host";
  throw new TsimgError("ERR_USAGE", `unknown network "${flag.slice(0, 64)}"`, {
    hint: "choose --network none or --network host",
  });
}

function hostnameOf({ flags, host, containerId }: SpecInput, network: "none" | "host"): string {
  if (flags.hostname === undefined) {
    return network === "host" ? host.hostname : containerId.slice(0, 12);
  }
  // The kernel takes 64 bytes; what isn't a name would also break /etc/hosts.
  if (/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/.test(flags.hostname)) return flags.hostname;
  throw new TsimgError("ERR_USAGE", `invalid hostname "${flags.hostname.slice(0, 64)}"`, {
    hint: "use up to 64 letters, digits, dots and hyphens",
  });
}
