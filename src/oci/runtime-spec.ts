/**
 * The OCI runtime specification's `config.json`, as far as tsimg writes it.
 *
 * A value of type `Spec` is plain JSON: `JSON.stringify` gives a file that runc and crun accept.
 *
 * @see OCI runtime-spec 1.2, config.md and config-linux.md
 */

import type { Resources } from "./linux-resources.ts";

export interface Spec {
  readonly ociVersion: string;
  readonly root: Root;
  readonly hostname?: string;
  readonly process: Process;
  /** In the order in which they are made. */
  readonly mounts: readonly Mount[];
  readonly linux: Linux;
  readonly domainname?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hooks?: Hooks;
}

/** Programs of the host, run at points of a container's life with its state on their input. */
export type Hooks = Readonly<Partial<Record<HookName, readonly Hook[]>>>;

export type HookName =
  | "prestart"
  | "createRuntime"
  | "createContainer"
  | "startContainer"
  | "poststart"
  | "poststop";

export interface Hook {
  readonly path: string;
  /** With argv[0]. */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export interface Root {
  /** Absolute, or relative to the bundle. */
  readonly path: string;
  readonly readonly?: boolean;
}

export interface Process {
  readonly terminal?: boolean;
  /** Characters, not pixels. Only meaningful with `terminal`. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: User;
  /** At least one; the first is looked up in the PATH of `env` unless it has a slash. */
  readonly args: readonly string[];
  /** `NAME=value`, each name once. */
  readonly env: readonly string[];
  /** Absolute, in the container. */
  readonly cwd: string;
  readonly capabilities?: CapabilitySets;
  readonly rlimits?: readonly Rlimit[];
  readonly noNewPrivileges?: boolean;
  readonly oomScoreAdj?: number;
  /** Of a profile that the kernel has. */
  readonly apparmorProfile?: string;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** Names with the `CAP_` prefix. */
export interface CapabilitySets {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

export interface Rlimit {
  /** `RLIMIT_NOFILE` and so on. */
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface Mount {
  /** Absolute, in the container. */
  readonly destination: string;
  /** A file system's name, or `bind`. */
  readonly type: string;
  readonly source: string;
  /** As mount(8) spells them: flags, propagation, and data for the file system. */
  readonly options: readonly string[];
}

export interface Linux {
  readonly namespaces: readonly Namespace[];
  /** Absolute below the cgroup mount, one path for all controllers. */
  readonly cgroupsPath?: string;
  readonly resources?: Resources;
  /** Nodes to make in /dev beside those that every runtime makes. */
  readonly devices?: readonly Device[];
  readonly seccomp?: Seccomp;
  readonly rootfsPropagation?: "shared" | "slave" | "private" | "unbindable";
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Of a new user namespace. */
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  /** Of a new time namespace. */
  readonly timeOffsets?: Readonly<Partial<Record<"monotonic" | "boottime", TimeOffset>>>;
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface TimeOffset {
  readonly secs?: number;
  /** Below 1e9. */
  readonly nanosecs?: number;
}

export type NamespaceType =
  | "pid"
  | "network"
  | "mount"
  | "ipc"
  | "uts"
  | "user"
  | "cgroup"
  | "time";

export interface Namespace {
  readonly type: NamespaceType;
  /** A namespace to join; a new one is made when absent. */
  readonly path?: string;
}

export interface Device {
  readonly path: string;
  /** Character, block, fifo. */
  readonly type: "c" | "b" | "u" | "p";
  readonly major?: number;
  readonly minor?: number;
  /** Permission bits alone. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export type SeccompAction =
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_LOG";

export type SeccompArch =
  | "SCMP_ARCH_X86_64"
  | "SCMP_ARCH_X86"
  | "SCMP_ARCH_X32"
  | "SCMP_ARCH_AARCH64"
  | "SCMP_ARCH_ARM";

export type SeccompOperator =
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

export interface Seccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly SeccompArch[];
  readonly flags?: readonly string[];
  /** The first rule that fits decides between rules with and without conditions. */
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  /** All must hold. */
  readonly args?: readonly SeccompArg[];
}

export interface SeccompArg {
  /** 0 to 5. */
  readonly index: number;
  /** The number compared with; the mask for `SCMP_CMP_MASKED_EQ`. */
  readonly value: number;
  /** What the masked argument must equal, for `SCMP_CMP_MASKED_EQ`. */
  readonly valueTwo?: number;
  readonly op: SeccompOperator;
}
