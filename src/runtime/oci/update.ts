import type { Resources } from "../../oci/linux-resources.ts";
import { TsimgError } from "../../sys/error.ts";
import { planCgroup } from "../cgroup/plan.ts";
import { applyWrites, raisesMemory } from "../container/update-limits.ts";
import { readJoinedCgroups } from "../host-facts.ts";
import type { OciContainer } from "./oci-container.ts";

/**
 * Writes other limits into a container's cgroups.
 *
 * @param text JSON of the runtime spec's `resources`
 * @throws TsimgError ERR_CONFIG_INVALID, ERR_STATE
 */
export function updateOci(container: OciContainer, text: string): void {
  const record = container.record();
  container.mustAllow("update", "created", "running", "paused");
  const { devices: _, ...resources } = parseResources(text);
  const path = record.spec.linux.cgroupsPath ?? `/tsimg/${container.id}`;
  const choosesCpus = (resources.cpu?.cpus ?? resources.cpu?.mems) !== undefined;
  const plan = planCgroup({
    ...readJoinedCgroups(record.cgroups, path, choosesCpus),
    path,
    resources,
    raisesMemory: raisesMemory(record.cgroups, resources),
  });
  applyWrites(plan.writes, container.id);
  const linux = {
    ...record.spec.linux,
    resources: { ...record.spec.linux.resources, ...resources },
  };
  container.write({ ...record, spec: { ...record.spec, linux } });
}

function parseResources(text: string): Resources {
  try {
    return JSON.parse(text) as Resources;
  } catch (cause) {
    throw new TsimgError("ERR_CONFIG_INVALID", "the resources are not JSON", { cause });
  }
}
