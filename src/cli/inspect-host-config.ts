import { basename, dirname, join } from "node:path";
import type { Mount, Spec } from "../oci/runtime-spec.ts";

/** What docker's inspect calls HostConfig, as far as the runtime spec tells it. */
export function hostConfig(spec: Spec | null): object {
  const { memory, cpu, pids, blockIO } = spec?.linux.resources ?? {};
  const ownNetwork = spec?.linux.namespaces.some(({ type }) => type === "network") ?? true;
  return {
    NetworkMode: ownNetwork ? "none" : "host",
    Privileged: spec !== null && spec.linux.maskedPaths === undefined,
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
 * The user's own mounts in the form of docker's inspect. The bound files that tsimg makes
 * itself are in the bundle, which is how they are known.
 *
 * @param volumes the directory of the named volumes
 */
export function mountPoints(spec: Spec | null, bundle: string, volumes: string): object[] {
  const bound = (spec?.mounts ?? []).filter(({ type }) => type === "bind");
  return bound
    .filter(({ source }) => dirname(source) !== bundle)
    .map((mount) => point(mount, volumes));
}

function point({ source, destination, options }: Mount, volumes: string): object {
  const name = basename(dirname(source));
  const named = source === join(volumes, name, "_data");
  return {
    ...(named ? { Type: "volume", Name: name } : { Type: "bind" }),
    Source: source,
    Destination: destination,
    RW: !options.some((option) => option === "ro" || option === "rro"),
    Propagation: options.find((option) => /^r?(private|shared|slave)$/.test(option)) ?? "",
  };
}
