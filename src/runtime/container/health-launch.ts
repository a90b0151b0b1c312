import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Spec } from "../../oci/runtime-spec.ts";
import type { ExecRequest } from "../tape/compile-exec.ts";
import type { ContainerOptions } from "./container.ts";
import { namespacesOf } from "./exec-namespaces.ts";
import { healthLog } from "./health-log.ts";
import type { Launch } from "./tape-image.ts";

/** A process that the launcher puts into the container again and again. */
export interface HealthLaunch {
  /** Where its tape goes. */
  readonly tape: string;
  readonly request: ExecRequest;
}

/** The descriptor on which the launcher hands on its container. */
const CONTAINER_FD = 10;

/** What the launcher must know; results of an earlier start are forgotten. */
export function healthCheck(state: string, { health }: ContainerOptions): Pick<Launch, "health"> {
  if (health === null) return {};
  const log = healthLog(state);
  rmSync(log, { force: true });
  const { interval, timeout, startPeriod, startInterval } = health;
  return { health: { tape: tapePath(state), log, interval, timeout, startPeriod, startInterval } };
}

export function healthLaunch(
  state: string,
  spec: Spec,
  procsFiles: readonly string[],
  { health }: ContainerOptions,
): { readonly health?: HealthLaunch } {
  if (health === null) return {};
  const request: ExecRequest = {
    process: { ...spec.process, terminal: false, args: health.command },
    target: { pidfd: CONTAINER_FD },
    namespaces: namespacesOf(spec),
    procsFiles,
    seccomp: spec.linux.seccomp,
    io: { kind: "direct", tty: false },
    removeAfter: [],
  };
  return { health: { tape: tapePath(state), request } };
}

function tapePath(state: string): string {
  return join(state, "health.tape");
}
