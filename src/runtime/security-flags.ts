/**
 * What a user asks of a container's security and process, as given: nothing is checked yet. An
 * absent member is a flag not given. Which file reads a member stands behind it.
 */
export interface SecurityFlags {
  readonly privileged: boolean;
  /** capabilities.ts */
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** `key` or `key=value`: security-options.ts */
  readonly securityOpt: readonly string[];
  /** `name=soft[:hard]`: ulimits.ts */
  readonly ulimit: readonly string[];
  /** `name=value`: sysctls.ts */
  readonly sysctl: readonly string[];
  /** `path[:path][:rwm]`: device-flags.ts */
  readonly device: readonly string[];
  /** Names or numbers: extra-groups.ts */
  readonly groupAdd: readonly string[];
  /** `none`, `private`, `shareable`, `host`, `container:ID`: namespace-modes.ts, as the next three */
  readonly ipc?: string;
  readonly pid?: string;
  readonly uts?: string;
  readonly cgroupns?: string;
  /** `monotonic=SECS,boottime=SECS`: time-offsets.ts */
  readonly time?: string;
  /** A size, as in `64m`: shared-memory.ts */
  readonly shmSize?: string;
  /** process-flags.ts, as the next three */
  readonly oomScoreAdj?: string;
  readonly umask?: string;
  readonly stopSignal?: string;
  readonly stopTimeout?: string;
  /** Run the command under an init process that reaps. */
  readonly init: boolean;
  /** Make the root file system read-only. */
  readonly readOnly: boolean;
}
