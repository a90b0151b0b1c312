import type { StorageOptions } from "../../drivers/driver.ts";
import type { LifecycleFlags } from "./container/lifecycle-flags.ts";
import type { LimitFlags } from "./limit-flags.ts";
import type { MountFlags } from "./mounts/mount-flags.ts";
import type { NetworkFlags } from "./network/network-flags.ts";
import type { SecurityFlags } from "./security-flags.ts";
import type { UsernsFlags } from "./userns/userns-flags.ts";

/**
 * What a user asks of `tsimg run`, as given: nothing is checked yet. An absent member is a
 * flag not given.
 */
export interface RunFlags
  extends LifecycleFlags,
    LimitFlags,
    MountFlags,
    NetworkFlags,
    SecurityFlags,
    UsernsFlags {
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
  /** Empty: none, whatever the image says. */
  readonly entrypoint?: string;
  /** What the storage driver shall do for the container. */
  readonly storage: StorageOptions;
  /** Replaces the image's command. */
  readonly command: readonly string[];
}
