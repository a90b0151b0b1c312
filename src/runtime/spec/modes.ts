import type { Namespace, NamespaceType } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import {
  type IpcMode,
  type NamespaceMode,
  namespaceOf,
  parseCgroupMode,
  parseIpcMode,
  parsePidMode,
  parseTimeMode,
  parseUtsMode,
  type TimeMode,
} from "../namespace-modes.ts";
import type { NetworkRequest } from "../network/network-request.ts";
import type { RunFlags } from "../run-flags.ts";
import { parseUsernsMode, type UsernsMode } from "../userns/userns-mode.ts";

/** Whose namespaces a container has. */
export interface Modes {
  readonly pid: NamespaceMode;
  readonly ipc: IpcMode;
  readonly uts: NamespaceMode;
  readonly cgroup: NamespaceMode;
  readonly network: NamespaceMode | { readonly kind: "path"; readonly path: string };
  readonly user: UsernsMode;
  readonly time: TimeMode;
}

/** Namespaces of which containers, by name or ID, a container joins. */
export type Joins = Readonly<Partial<Record<NamespaceType, string>>>;

/** Stands for the first process of a container that is to be looked up at the start. */
const NOBODY = 0;

/** @throws TsimgError ERR_USAGE */
export function chooseModes(flags: RunFlags, { choice }: NetworkRequest): Modes {
  const own: NamespaceMode = { kind: "private" };
  const modes: Modes = {
    pid: parsePidMode(flags.pid),
    ipc: parseIpcMode(flags.ipc),
    uts: parseUtsMode(flags.uts, flags.hostname),
    cgroup: parseCgroupMode(flags.cgroupns),
    network: networkMode(choice) ?? own,
    user: parseUsernsMode(flags),
    time: parseTimeMode(flags.time),
  };
  if (modes.user.kind !== "host") refuseHostsOwn(modes);
  return modes;
}

/** The kernel shows /proc and /sys only to who owns the namespaces that they tell of. */
function refuseHostsOwn({ pid, network }: Modes): void {
  for (const [name, mode] of Object.entries({ pid, network })) {
    if (mode.kind !== "host") continue;
    throw new TsimgError("ERR_USAGE", `a user namespace doesn't go with --${name} host`, {
      hint: `leave out --${name} host, or choose --userns host`,
    });
  }
}

/** Undefined for a namespace of the container's own, however it is connected. */
function networkMode(choice: NetworkRequest["choice"]): Modes["network"] | undefined {
  const own = ["none", "networks", "user"];
  return own.includes(choice.kind) ? undefined : (choice as Modes["network"]);
}

/** `linux.namespaces`, in the order in which they are joined. */
export function namespacesOf(modes: Modes): readonly Namespace[] {
  const { network } = modes;
  const all: readonly (Namespace | undefined)[] = [
    userNamespace(modes.user),
    namespaceOf("pid", modes.pid, () => NOBODY),
    { type: "mount" },
    namespaceOf("ipc", modes.ipc, () => NOBODY),
    namespaceOf("uts", modes.uts, () => NOBODY),
    namespaceOf("cgroup", modes.cgroup, () => NOBODY),
    network.kind === "path"
      ? { type: "network", path: network.path }
      : namespaceOf("network", network, () => NOBODY),
    namespaceOf("time", modes.time, () => NOBODY),
  ];
  return all.filter((one) => one !== undefined);
}

/** First: the others belong to it. */
function userNamespace(mode: UsernsMode): Namespace | undefined {
  switch (mode.kind) {
    case "host":
      return undefined;
    case "path":
      return { type: "user", path: mode.path };
    case "container":
      return { type: "user", path: `/proc/${NOBODY}/ns/user` };
    default:
      return { type: "user" };
  }
}

/** Which other containers have to run when this one starts. */
export function joinsOf({ pid, ipc, uts, network, user, time }: Modes): Joins {
  const modes = { pid, ipc, uts, network, user, time };
  const joined = Object.entries(modes).flatMap(([type, mode]) =>
    mode.kind === "container" ? [[type, mode.container] as const] : [],
  );
  return Object.fromEntries(joined);
}

/**
 * The namespaces with the paths that hold now.
 *
 * @param pidOf the first process of a running container; throws for one that doesn't run
 */
export function joinOthers(
  namespaces: readonly Namespace[],
  joins: Joins,
  pidOf: (container: string) => number,
): readonly Namespace[] {
  return namespaces.map((namespace) => {
    const container = joins[namespace.type];
    if (container === undefined) return namespace;
    const joined = namespaceOf(namespace.type, { kind: "container", container }, pidOf);
    if (joined !== undefined) return joined;
    throw new TsimgError("ERR_STATE", `the ${namespace.type} namespace can't be joined`);
  });
}
