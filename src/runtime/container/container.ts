import type { SnapshotId } from "../../../drivers/driver.ts";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { MountPoint } from "../mounts/mount-point.ts";
import type { NetworkRequest } from "../network/network-request.ts";
import type { Joins } from "../spec/modes.ts";
import type { Accounts } from "../user.ts";
import type { IdMaps } from "../userns/choose-maps.ts";
import type { GivenOptions } from "./given.ts";
import type { HealthCheck } from "./health.ts";
import type { LogOptions } from "./log-options.ts";
import type { RestartPolicy } from "./restart-policy.ts";

/** One container as the database keeps it. */
export interface ContainerRow {
  readonly id: string;
  readonly name: string;
  /** As the user named the image. */
  readonly image: string;
  /** Digest of the image's manifest. */
  readonly manifest: string;
  readonly snapshot: SnapshotId;
  /** RFC 3339. */
  readonly created: string;
  readonly auto_remove: number;
  /** Identity of the process that makes it. */
  readonly owner: string;
  /** JSON of ContainerOptions. */
  readonly options: string;
  /** JSON of ExitRecord, once it ended and somebody looked. */
  readonly exit: string | null;
  /** The same of the time before, once it is started again. */
  readonly last_exit: string | null;
  /** 0 while `owner` makes it; also of one that is started as it is made, until it has ended. */
  readonly ready: number;
  /** Identity of the process that starts it again, or did so last. */
  readonly starter: string | null;
  /** How often its restart policy has started it again. */
  readonly restarts: number;
  /** The same, since it last ran steadily. */
  readonly restarts_in_row: number;
  /** 1 once somebody asked it to stop: its restart policy then rests. */
  readonly stop_asked: number;
}

/** How often a restart policy has started a container. */
export interface Restarts {
  readonly all: number;
  /** Since it last ran steadily. */
  readonly inRow: number;
}

/** What later commands need to know of how it is started. Its spec is in its directory. */
export interface ContainerOptions {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly detached: boolean;
  readonly init: boolean;
  /** The signal that asks it to stop: the image's, or SIGTERM. */
  readonly stopSignal: string;
  /** Seconds to wait for that before it is killed; null for the usual 10. */
  readonly stopTimeout: number | null;
  /** Directories of its cgroups, deepest first. */
  readonly cgroups: readonly string[];
  /** Where its output goes; null when its starter reads it. */
  readonly logFile: string | null;
  /** Left out for the usual: one file without end. */
  readonly log?: LogOptions;
  readonly labels: Readonly<Record<string, string>>;
  readonly restart: RestartPolicy;
  readonly health: HealthCheck | null;
  /** As docker writes them: `ctrl-p,ctrl-q`. */
  readonly detachKeys: string | null;
  readonly pidFile: string | null;
  /** Path of another OCI runtime that runs it; null for our own. */
  readonly runtime: string | null;
  readonly network: NetworkRequest;
  /** Ports by its image, as `80/tcp`. */
  readonly exposed: readonly string[];
  /** IDs of containers whose namespaces it joins. */
  readonly joins: Joins;
  /** Of its own user namespace. */
  readonly maps: IdMaps | null;
  /** What its user has mounted in it. */
  readonly points: readonly MountPoint[];
  /** Absent where nobody asked: containers of other makers. */
  readonly given?: GivenOptions;
}

/** What the launcher writes when the container runs. */
export interface StartedRecord {
  readonly launcher: number;
  readonly launcherStartTime: string;
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly startedAt: string;
}

/** What the launcher writes when it ended, or could not be started. */
export interface ExitRecord {
  readonly exitCode: number;
  readonly signal: number;
  readonly oomKilled: boolean;
  readonly finishedAt: string;
  readonly error?: string;
}

export type ContainerState =
  /** `starting`: a process is at it right now. */
  | { readonly status: "created"; readonly starting: boolean }
  | { readonly status: "running"; readonly started: StartedRecord; readonly paused: boolean }
  /** Its restart policy waits before it starts it again, or is just `starting` it. */
  | {
      readonly status: "restarting";
      readonly starting: boolean;
      readonly exit: ExitRecord;
      readonly started: StartedRecord | undefined;
    }
  | {
      readonly status: "exited";
      readonly exit: ExitRecord;
      readonly started: StartedRecord | undefined;
    };

export interface Container {
  readonly row: ContainerRow;
  readonly options: ContainerOptions;
  readonly state: ContainerState;
}

/** The image to make a container of. */
export interface ContainerImage {
  /** As the user named it. */
  readonly name: string;
  readonly manifest: string;
  readonly config: ContainerConfig;
  readonly driver: string;
  /** Its unpacked layers; null when it has none. */
  readonly top: SnapshotId | null;
  readonly accounts: Accounts;
}
