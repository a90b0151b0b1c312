import { join } from "node:path";
import type { HugepageLimit, NetworkResources, RdmaLimit } from "../../oci/linux-resources.ts";
import { TsimgError } from "../../sys/error.ts";
import type { Setting } from "./setting.ts";

/** Huge pages of each size; the reserved ones too where the kernel (5.7) counts them. */
export function hugetlbV1(group: string, limits: readonly HugepageLimit[]): readonly Setting[] {
  return limits.flatMap((limit) => [
    hugetlb(group, limit, "limit_in_bytes"),
    { ...hugetlb(group, limit, "rsvd.limit_in_bytes"), optional: true },
  ]);
}

export function hugetlbV2(group: string, limits: readonly HugepageLimit[]): readonly Setting[] {
  return limits.flatMap((limit) => [
    hugetlb(group, limit, "max"),
    { ...hugetlb(group, limit, "rsvd.max"), optional: true },
  ]);
}

function hugetlb(group: string, { pageSize, limit }: HugepageLimit, name: string): Setting {
  if (!/^\d+[KMGT]B$/.test(pageSize)) {
    throw new TsimgError("ERR_CONFIG_INVALID", `invalid huge page size "${pageSize}"`, {
      hint: "write it as the kernel does: 2MB, 1GB",
    });
  }
  const file = join(group, `hugetlb.${pageSize}.${name}`);
  return { file, value: String(limit), why: `limit huge pages of ${pageSize} to ${limit} bytes` };
}

/** The same file on both versions. */
export function rdmaSettings(
  group: string,
  devices: Readonly<Record<string, RdmaLimit>>,
): readonly Setting[] {
  return Object.entries(devices).map(([device, { hcaHandles, hcaObjects }]) => {
    const handles = hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`];
    const objects = hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`];
    const value = [device, ...handles, ...objects].join(" ");
    return { file: join(group, "rdma.max"), value, why: `limit RDMA of ${device}` };
  });
}

export function networkSettings(
  controller: "net_cls" | "net_prio",
  group: string,
  { classID, priorities = [] }: NetworkResources,
): readonly Setting[] {
  if (controller === "net_prio") {
    return priorities.map(({ name, priority }) => ({
      file: join(group, "net_prio.ifpriomap"),
      value: `${name} ${priority}`,
      why: `give packets on ${name} priority ${priority}`,
    }));
  }
  if (classID === undefined) return [];
  const why = `tag packets with class ${classID}`;
  return [{ file: join(group, "net_cls.classid"), value: String(classID), why }];
}
