import type { HealthFlags } from "./health.ts";

/** How a container lives, as given. An absent member is a flag not given. */
export interface LifecycleFlags extends HealthFlags {
  /** `no`, `always`, `unless-stopped`, `on-failure[:times]`. */
  readonly restart?: string;
  /** `name=value`, or `name` alone. */
  readonly label: readonly string[];
  /** `name=value`, for the runtime spec. */
  readonly annotation: readonly string[];
  /** Paths of files with a label a line. */
  readonly labelFile: readonly string[];
  /** A file to write the container's ID to. */
  readonly cidfile?: string;
  /** A file to write the process ID of its first process to. */
  readonly pidfile?: string;
  /** Name or path of an OCI runtime to run it instead of tsimg's own. */
  readonly runtime?: string;
  readonly logDriver?: string;
  /** `key=value`. */
  readonly logOpt: readonly string[];
  /** `STDIN`, `STDOUT`, `STDERR`, in any case: those that are the caller's. */
  readonly attach: readonly string[];
  /** `false`: the caller's signals are not for the container. */
  readonly sigProxy?: string;
  /** As in `ctrl-p,ctrl-q`. */
  readonly detachKeys?: string;
}
