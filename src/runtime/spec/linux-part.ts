import type { Linux } from "../../oci/runtime-spec.ts";
import type { SpecInput } from "../create-spec.ts";
import { parseDevices } from "../device-flags.ts";
import { privilegedDevices } from "../devices.ts";
import { cgroupPathOf, limitsOf } from "../limits.ts";
import { hiddenPaths } from "../masked-paths.ts";
import { defaultSeccomp } from "../seccomp/default-profile.ts";
import { parseSeccompProfile } from "../seccomp/profile-file.ts";
import { parseSecurityOptions } from "../security-options.ts";
import { parseSysctls } from "../sysctls.ts";
import { type Modes, namespacesOf } from "./modes.ts";
import { grantedCapabilities } from "./process-part.ts";

/** Namespaces, limits and what keeps the container from the host. */
export function linuxOf(input: SpecInput, modes: Modes): Linux {
  const { flags, host } = input;
  const seccomp = seccompOf(input);
  const options = parseSecurityOptions(flags.securityOpt);
  const chosen = parseDevices(flags.device, host.lookupDevices);
  const devices = flags.privileged
    ? [...privilegedDevices(host.lookupDevices("/dev")), ...chosen.devices]
    : chosen.devices;
  const resources = limitsOf(flags, host.deviceNumbers);
  const sysctl = sysctlsOf(input, modes);
  return {
    namespaces: namespacesOf(modes),
    cgroupsPath: cgroupPathOf(flags, input.containerId),
    resources: { ...resources, devices: [...(resources.devices ?? []), ...chosen.rules] },
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(devices.length === 0 ? {} : { devices }),
    ...hiddenPaths(flags.privileged, options, host.thermalPaths),
    ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    // Those of a namespace that is joined were written by who made it.
    ...(modes.user.kind === "container" ? {} : input.maps),
    ...(modes.time.kind === "private" ? { timeOffsets: modes.time.offsets } : {}),
  };
}

/** In a network of its own a container may use low ports and ping: docker's defaults. */
function sysctlsOf(
  { flags, network, maps }: SpecInput,
  modes: Modes,
): Readonly<Record<string, string>> {
  const own = {
    ipc: modes.ipc.kind !== "host" && modes.ipc.kind !== "container",
    network: modes.network.kind === "private",
    uts: modes.uts.kind === "private",
  };
  const connected = network.choice.kind === "networks";
  // A group that isn't mapped can't be named.
  const groups = maps?.gidMappings.find(({ containerID }) => containerID === 0);
  const last = groups === undefined ? 2_147_483_647 : groups.size - 1;
  const usual: Record<string, string> = connected
    ? { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": `0 ${last}` }
    : {};
  return { ...usual, ...parseSysctls(flags.sysctl, own) };
}

function seccompOf(input: SpecInput): Linux["seccomp"] {
  const { kind } = parseSecurityOptions(input.flags.securityOpt).seccomp;
  const { arch, kernel } = input.host;
  const capabilities = grantedCapabilities(input);
  if (kind === "file")
    return parseSeccompProfile(input.seccompProfile ?? "", arch, capabilities, kernel);
  if (kind === "unconfined" || input.flags.privileged) return undefined;
  return defaultSeccomp(arch, capabilities);
}
