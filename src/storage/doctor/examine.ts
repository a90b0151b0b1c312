import { join } from "node:path";
import type { DriverSet } from "../driver-set.ts";
import type { StorageContext } from "../storage-context.ts";
import { driverFindings } from "./driver-findings.ts";
import type { Finding } from "./finding.ts";
import { kernelFindings } from "./kernel-findings.ts";
import { leftoverFindings } from "./leftover-findings.ts";
import { spaceFindings } from "./space-findings.ts";

export interface Report {
  /** The driver that commands use when they name none. */
  readonly driver: string | undefined;
  /** Whether that one works. */
  readonly works: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Everything that `tsimg doctor` looks at. Needs root. The kernel's features come after the
 * drivers, since for them this thread goes into a mount namespace of its own.
 */
export function examine(context: StorageContext, drivers: DriverSet): Report {
  // Before anything is tried out, so that nothing of ours is taken for a leftover.
  const leftovers = leftoverFindings(context, drivers);
  const { chosen, findings } = driverFindings(context, drivers);
  const works = findings.some(({ name, state }) => name === chosen && state === "ok");
  const probes = join(context.paths.root, "cache");
  return {
    driver: chosen,
    works,
    findings: [...findings, ...kernelFindings(probes), ...spaceFindings(context), ...leftovers],
  };
}
