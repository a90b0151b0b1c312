import { dirname } from "node:path";
import type { Spec } from "../oci/runtime-spec.ts";
import type { ContainerOptions } from "../runtime/container/container.ts";
import { USUAL_LOG } from "../runtime/container/log-options.ts";
import { type MountPoint, volumeData } from "../runtime/mounts/mount-point.ts";
import { networkMode } from "../runtime/network/network-settings.ts";
import type { PortRequest } from "../runtime/network/port-request.ts";
import { parseUlimits } from "../runtime/ulimits.ts";

/** What docker's inspect calls HostConfig: what was asked for, and the limits that hold. */
export function hostConfig(spec: Spec | null, options: ContainerOptions): object {
  const { given, network, restart, log = USUAL_LOG } = options;
  return {
    Binds: orNull(given?.binds),
    Annotations: spec?.annotations ?? null,
    NetworkMode: networkMode(network.choice),
    PortBindings: portRequests(network.publish),
    PublishAllPorts: network.publishAll,
    LogConfig: { Type: log.driver, Config: log.options },
    RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.most },
    VolumesFrom: orNull(given?.volumesFrom),
    CapAdd: orNull(given?.capAdd),
    CapDrop: orNull(given?.capDrop),
    CgroupnsMode: given?.cgroupns || "private",
    Dns: network.dns.servers,
    DnsOptions: network.dns.options,
    DnsSearch: network.dns.search,
    ExtraHosts: network.extraHosts.map(({ name, address }) => `${name}:${address}`),
    GroupAdd: orNull(given?.groupAdd),
    IpcMode: given?.ipc || "private",
    PidMode: given?.pid ?? "",
    UTSMode: given?.uts ?? "",
    UsernsMode: given?.userns || (options.maps === null ? "" : "private"),
    Init: options.init,
    Privileged: given?.privileged ?? (spec !== null && spec.linux.maskedPaths?.length === 0),
    ReadonlyRootfs: spec?.root.readonly ?? false,
    SecurityOpt: orNull(given?.securityOpt),
    ShmSize: shmSize(spec),
    Sysctls: pairs(given?.sysctl ?? [], "="),
    Tmpfs: pairs(given?.tmpfs ?? [], ":"),
    Ulimits: ulimits(given?.ulimit ?? []),
    Devices: (given?.device ?? []).map(deviceMapping),
    OomScoreAdj: spec?.process.oomScoreAdj ?? 0,
    MaskedPaths: spec?.linux.maskedPaths ?? [],
    ReadonlyPaths: spec?.linux.readonlyPaths ?? [],
    ...limits(spec),
  };
}

function limits(spec: Spec | null): object {
  const { memory, cpu, pids, blockIO } = spec?.linux.resources ?? {};
  return {
    Memory: memory?.limit ?? 0,
    MemorySwap: memory?.swap ?? 0,
    MemoryReservation: memory?.reservation ?? 0,
    MemorySwappiness: memory?.swappiness ?? null,
    OomKillDisable: memory?.disableOOMKiller ?? false,
    NanoCpus: ((cpu?.quota ?? 0) / (cpu?.period ?? 1)) * 1e9,
    CpuShares: cpu?.shares ?? 0,
    CpuPeriod: cpu?.period ?? 0,
    CpuQuota: cpu?.quota ?? 0,
    CpusetCpus: cpu?.cpus ?? "",
    CpusetMems: cpu?.mems ?? "",
    BlkioWeight: blockIO?.weight ?? 0,
    PidsLimit: pids?.limit ?? null,
    CgroupParent: dirname(spec?.linux.cgroupsPath ?? ""),
  };
}

/** By container port; a range of the host's is shown as such, any free port as none. */
function portRequests(requests: readonly PortRequest[]): object {
  const groups = Map.groupBy(requests, ({ port, protocol }) => `${port}/${protocol}`);
  const binding = ({ hostAddress, hostPorts }: PortRequest) => ({
    HostIp: hostAddress,
    HostPort: [...new Set(hostPorts ?? [])].join("-"),
  });
  return Object.fromEntries([...groups].map(([name, group]) => [name, group.map(binding)]));
}

function pairs(texts: readonly string[], separator: string): object {
  const cut = (text: string) => {
    const at = text.indexOf(separator);
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  };
  return Object.fromEntries(texts.map(cut));
}

function ulimits(texts: readonly string[]): object[] {
  return parseUlimits(texts).map(({ type, soft, hard }) => ({
    Name: type.replace(/^RLIMIT_/, "").toLowerCase(),
    Hard: hard,
    Soft: soft,
  }));
}

/** `path[:path][:rwm]` */
function deviceMapping(text: string): object {
  const [PathOnHost = "", ...rest] = text.split(":");
  const PathInContainer = rest.find((part) => part.startsWith("/")) ?? PathOnHost;
  const CgroupPermissions = rest.find((part) => !part.startsWith("/")) ?? "rwm";
  return { PathOnHost, PathInContainer, CgroupPermissions };
}

/** Bytes; 0 where it isn't the container's own. */
function shmSize(spec: Spec | null): number {
  const mount = spec?.mounts.find(({ destination }) => destination === "/dev/shm");
  const size = mount?.options?.find((option) => option.startsWith("size=")) ?? "";
  const [, number = "0", unit = ""] = /^size=(\d+)(k?)$/.exec(size) ?? [];
  return Number(number) * (unit === "k" ? 1024 : 1);
}

/**
 * The user's own mounts in the form of docker's inspect.
 *
 * @param volumes the directory of the volumes
 */
export function mountPoints(points: readonly MountPoint[], volumes: string): object[] {
  return points.map((point) => {
    const { destination: Destination } = point;
    if (point.type === "tmpfs")
      return { Type: "tmpfs", Source: "", Destination, Mode: point.options.join(","), RW: true };
    const RW = !point.readonly;
    if (point.type === "bind")
      return {
        Type: "bind",
        Source: point.source,
        Destination,
        RW,
        Propagation: point.propagation,
      };
    const Source = volumeData(volumes, point.name);
    return { Type: "volume", Name: point.name, Source, Destination, Driver: "local", RW };
  });
}

/** Docker's empty lists of these are null. */
function orNull(list: readonly string[] | undefined): readonly string[] | null {
  return list === undefined || list.length === 0 ? null : list;
}
