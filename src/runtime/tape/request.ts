import type { Spec } from "../../oci/runtime-spec.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import type { CgroupPlan } from "../cgroup/plan.ts";
import type { InsideNetwork } from "../network/inside-network.ts";
import type { HeldPort } from "../network/prepare-network.ts";
import type { UserNetworkLaunch } from "../network/user-network.ts";
import type { IdMaps } from "../userns/choose-maps.ts";
import type { ForeignCall } from "./compile-foreign.ts";
import type { HookedContainer } from "./hooks.ts";
import type { TapeHealth } from "./tape.ts";
import type { MapWriter } from "./user-namespace.ts";

/** All that decides on a launch tape. */
export interface LaunchRequest {
  /** `spec.root.path` is where the root is mounted: absolute, a directory that exists. */
  readonly spec: Spec;
  /** Performed on `spec.root.path` inside the container's own mount namespace, in order. */
  readonly rootMounts: readonly MountSpec[];
  readonly cgroup: CgroupPlan;
  /** Where the launcher writes `started.json` and `exit.json`, each atomically. */
  readonly stateDirectory: string;
  readonly io: LaunchIo;
  /** Directories and files of a container that leaves nothing behind: removed in this order. */
  readonly removeAfter: readonly string[];
  /** A program to run last, on the host. */
  readonly runAfter?: ProgramCall;
  /** A program that takes the launcher's place at the very end. */
  readonly becomeAfter?: ProgramCall;
  /** Path of a file without which it doesn't. */
  readonly becomeWith?: string;
  /** A reaping, signal-forwarding PID 1 in front of the command. */
  readonly init: boolean;
  /** struct sock_filter[] of `spec.linux.seccomp`. */
  readonly seccompFilter?: Buffer;
  readonly health?: TapeHealth;
  readonly network?: NetworkLaunch;
  /** Whether it is launched from within an ordinary user's namespaces. */
  readonly unprivileged?: boolean;
  /** By which the container's user namespace sees the owners of its root's files. */
  readonly imageMaps?: IdMaps;
  /** Namespaces of this process hold the shared memory that the container joins. */
  readonly sharedMemoryOf?: number;
  /** How the maps of a new user namespace are written; by default by the launcher itself. */
  readonly mapWriter?: MapWriter;
  /**
   * A FIFO from which the child reads a byte before it executes its program; the launcher
   * ends before that and leaves the child to whoever called it.
   */
  readonly gate?: string;
  /** The launcher ends once the program runs, and leaves it to whoever called. */
  readonly transient?: boolean;
  /** Gets the process ID of the container's first process. */
  readonly pidFile?: string;
  /** Whom the spec's hooks are told of; without it none is run. */
  readonly hooked?: HookedContainer;
  /** Another runtime, which makes the container. */
  readonly foreign?: ForeignCall;
}

/** What connects a container's new network namespace. Paths are absolute. */
export interface NetworkLaunch {
  /** Of the programs. */
  readonly ip: string;
  readonly nft: string;
  /** Input of `ip -batch`; descriptor 100 is the namespace. */
  readonly ipBatch?: string;
  /** Inputs of `nft -f`: when the interfaces are there, and when the container has ended. */
  readonly publish?: string;
  readonly unpublish?: string;
  readonly inside?: InsideNetwork;
  readonly hold: readonly HeldPort[];
  /** In place of all that. */
  readonly user?: UserNetworkLaunch;
}

export interface ProgramCall {
  readonly argv: readonly [string, ...string[]];
  readonly env: readonly string[];
  /** As an error message begins. */
  readonly why: string;
}

/** A log of `size` bytes is put aside; of `files` in all the oldest goes. */
export interface LogLimit {
  readonly size: number;
  readonly files: number;
}

export type LaunchIo =
  | {
      readonly kind: "foreground";
      readonly tty: boolean;
      readonly interactive: boolean;
      /** Output is written there too. */
      readonly logFile?: string;
      readonly logLimit?: LogLimit;
      readonly attachSocket?: string;
      /** Bytes; with a terminal alone. */
      readonly detachKeys?: string;
      /** What the caller doesn't get. */
      readonly leave?: readonly ("stdout" | "stderr")[];
      /** The caller's signals are its own, and may end it before the container. */
      readonly keepSignals?: boolean;
    }
  /** The caller's own streams; with a terminal, one whose master goes to `consoleSocket`. */
  | { readonly kind: "direct"; readonly tty: boolean; readonly consoleSocket?: string }
  | {
      readonly kind: "detached";
      readonly tty: boolean;
      readonly interactive: boolean;
      readonly logFile?: string;
      readonly logLimit?: LogLimit;
      readonly attachSocket?: string;
      /** What the launcher prints when the container runs. */
      readonly printId?: string;
    };
