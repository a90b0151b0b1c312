import { dirname } from "node:path";
import type { Spec } from "../oci/runtime-spec.ts";
import { type MountPoint, volumeData } from "../runtime/mounts/mount-point.ts";

/** What docker's inspect calls HostConfig, as far as the runtime spec tells it. */
export function hostConfig(spec: Spec | null, networkMode: string): object {
  const { memory, cpu, pids, blockIO } = spec?.linux.resources ?? {};
  return {
    NetworkMode: networkMode,
    Privileged: spec !== null && spec.linux.maskedPaths?.length === 0,
    ReadonlyRootfs: spec?.root.readonly ?? false,
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
