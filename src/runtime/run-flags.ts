import type { StorageOptions } from "../../drivers/driver.ts";
import type { LifecycleFlags } from "./container/lifecycle-flags.ts";
import type { LimitFlags } from "./limit-flags.ts";
import type { MountFlags } from "./mounts/mount-flags.ts";

/**
 * What a user asks of `tsimg run`, as given: nothing is checked yet. An absent member is a
 * flag not given.
 */
export interface RunFlags extends LifecycleFlags, LimitFlags, MountFlags {
  /** Remove the container when it ends. */
  readonly rm: boolean;
  readonly detach: boolean;
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly name?: string;
  /** `NAME=value`, or `NAME` alone. */
  readonly env: readonly string[];
  /** Paths. */
  readonly envFile: readonly string[];
  readonly workdir?: string;
  /** `name|uid[:group|gid]`. */
  readonly user?: string;
  /** Make the root file system read-only. */
  readonly readOnly: boolean;
  readonly hostname?: string;
  /** Empty: none, whatever the image says. */
  readonly entrypoint?: string;
  /** `none` or `host`. */
  readonly network?: string;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** Run the command under an init process that reaps. */
  readonly init: boolean;
  /** `no-new-privileges`, `seccomp=unconfined`, `seccomp=PATH`. */
  readonly securityOpt: readonly string[];
  /** What the storage driver shall do for the container. */
  readonly storage: StorageOptions;
  /** Replaces the image's command. */
  readonly command: readonly string[];
}
