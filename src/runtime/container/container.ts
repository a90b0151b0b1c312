import type { SnapshotId } from "../../../drivers/driver.ts";

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
  /** Identity of the process that starts it. */
  readonly owner: string;
  /** JSON of ContainerOptions. */
  readonly options: string;
  /** JSON of ExitRecord, once it ended and somebody looked. */
  readonly exit: string | null;
}

/** What later commands need to know of how it was started. */
export interface ContainerOptions {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly detached: boolean;
  /** The signal that asks it to stop: the image's, or SIGTERM. */
  readonly stopSignal: string;
  /** Directories of its cgroups, deepest first. */
  readonly cgroups: readonly string[];
  /** Where its output goes; null when its starter reads it. */
  readonly logFile: string | null;
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
  | { readonly status: "created" }
  | { readonly status: "running"; readonly started: StartedRecord }
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
