import type { ConstantName } from "./constants.ts";
import type { ErrnoName } from "./errno.ts";
import type { LogLimit } from "./request.ts";
import type { SyscallName } from "./syscalls.ts";

/**
 * A launch tape: the system calls that turn a fresh process into a container, with literal
 * arguments, in the order in which the launcher performs them.
 *
 *     before   by the launcher, on the host: cgroups
 *     (clone)  with the new namespaces
 *     beside   by the launcher, while the child's steps run, which wait for it where they must
 *     child    by the container's first process, ending in execve
 *     after    by the launcher, when that process has ended or could not be started
 *
 * A tape is plain data. Names stand for numbers until `encodeTape` knows the machine.
 */
export interface Tape {
  readonly before: readonly Step[];
  readonly cloneFlags: readonly ConstantName[];
  readonly beside: readonly Step[];
  readonly child: readonly Step[];
  readonly after: readonly Step[];
  readonly options: readonly TapeOption[];
  /** Files that the launcher writes or reads itself. */
  readonly files: TapeFiles;
  /** Printed by the launcher when a detached container runs. */
  readonly printId?: string;
  /** Bytes typed at the container's terminal that let go of it. */
  readonly detachKeys?: string;
  readonly health?: TapeHealth;
}

/**
 * - `stdin`: the container reads the caller's input; otherwise it finds /dev/null
 * - `direct`: the child has the caller's own streams, a terminal too
 * - `relay`: output passes through the launcher even where nobody else has a use for it
 * - `transient`: the launcher ends once the child closes its report socket, and leaves it alone
 * - `keepSignals`: the caller's side is a process of its own, and its signals end it alone
 * - `leaveStdout`, `leaveStderr`: the caller doesn't get the stream; the log does, or nobody
 * - `handover`: the child's tape has such a step, and the launcher then waits for the copy
 */
export type TapeOption =
  | "detached"
  | "tty"
  | "stdin"
  | "direct"
  | "transient"
  | "relay"
  | "leaveStdout"
  | "leaveStderr"
  | "keepSignals"
  | "handover";

/** A check that the launcher runs again and again. Times are milliseconds. */
export interface TapeHealth {
  /** The tape of the check, for a launcher of its own. */
  readonly tape: string;
  /** Gets a line of JSON for each check. */
  readonly log: string;
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
}

/** Of another runtime, which the child becomes. */
export interface RuntimeFiles {
  readonly log: string;
  /** Is there once the container was made. */
  readonly pid: string;
  /** The container's program. */
  readonly command: string;
}

export interface TapeFiles {
  readonly startedRecord?: string;
  readonly exitRecord?: string;
  readonly log?: string;
  readonly logLimit?: LogLimit;
  /** Holds a line `oom_kill N`. */
  readonly oom?: string;
  /** A unix socket on which the launcher takes clients that attach. */
  readonly attachSocket?: string;
  /** Gets the process ID of the container's first process. */
  readonly pid?: string;
  /** What tells the runtime's failure from the container's end. */
  readonly runtime?: RuntimeFiles;
}

/** All fields are always there: tapes are compiled at every start, and one shape is fast. */
export interface Step {
  readonly call: SyscallName | Operation;
  readonly args: readonly Argument[];
  /** What is being done, as an error message begins: `mounting proc on "/proc"`. */
  readonly why: string;
  /** What the user can do when it fails. */
  readonly hint: string | undefined;
  /** The launcher's exit status when this step fails. */
  readonly status: 125 | 126 | 127;
  /** Where the call's answer goes. */
  readonly result: Register | undefined;
  /** Errors after which the tape goes on. */
  readonly tolerate: Tolerance;
  /** A tolerated error is still told to the user. */
  readonly warn: boolean;
  /** EBUSY is waited for, up to two seconds for all such steps together. */
  readonly retryBusy: boolean;
  /** Steps to leave out after a success, and after a tolerated error. */
  readonly skipOnOk: number;
  readonly skipOnTolerated: number;
}

/** At most four, or whatever may come. */
export type Tolerance = "any" | readonly ErrnoName[];

/**
 * What is no system call.
 *
 * - `skip`: nothing, carries a jump
 * - `fail`: ends the tape; `why` is the whole message
 * - `poke`: writes its second argument, 32 bits, to the address of the first
 * - `rmtree`: removes a tree without following symbolic links
 * - `init`: forks; the parent stays as the reaping PID 1
 * - `program`: runs a program, with arguments and environment, and waits for its end
 * - `print`: writes its second argument as decimal digits to the address of the first
 * - `killgroup`: kills the processes that a file lists, until there are none
 * - `handover`: goes on as a copy of the process, in the PID namespace that it has joined
 * - `procfs`: answers a context, as fsopen(2) does, of a procfs for a PID namespace
 * - `procfsCheck`: fails for a mount that is none of a procfs
 * - `hook`: runs a program to its end, with text on its input, for so long, in a directory
 * - `awaitChild`: in the launcher, goes on when the child says that it has come so far
 * - `awaitLauncher`: in the child, goes on when the launcher sends a byte; fails when that is gone
 * - `userns`: answers a new user namespace, with nobody in it, that has these maps
 */
export type Operation =
  | "skip"
  | "fail"
  | "poke"
  | "rmtree"
  | "init"
  | "program"
  | "print"
  | "userns"
  | "killgroup"
  | "handover"
  | "procfs"
  | "procfsCheck"
  | "hook"
  | "awaitChild"
  | "awaitLauncher";

/** A number, a register's content, or a pointer into the tape's data. */
export type Argument = number | bigint | Flags | Register | Pointer;

export type Pointer = string | Bytes | Words | Strings | Place;

/** Constants joined with OR; none is 0. */
export interface Flags {
  readonly kind: "flags";
  readonly names: readonly ConstantName[];
  /** Permission bits that stand beside them. */
  readonly bits?: number;
}

export interface Register {
  readonly kind: "register";
  readonly index: number;
}

/** Raw memory. One object is one place in memory, however often it is named. */
export interface Bytes {
  readonly kind: "bytes";
  readonly bytes: Uint8Array;
  /** For people. */
  readonly text: string;
}

/** A structure of 64-bit words. */
export interface Words {
  readonly kind: "words";
  readonly words: readonly (number | bigint | Flags | Pointer)[];
  readonly text: string;
}

/** A NULL-terminated array of strings. */
export interface Strings {
  readonly kind: "strings";
  readonly values: readonly string[];
}

/** An address inside `of`. */
export interface Place {
  readonly kind: "place";
  readonly of: Bytes;
  readonly offset: number;
}

/** Filled by the launcher before the child's first step. */
export const REPORT_SOCKET: Register = { kind: "register", index: 0 };
/** Descriptors for the container's standard streams: pipes, or the launcher's own. */
export const STREAMS: readonly [Register, Register, Register] = [
  { kind: "register", index: 1 },
  { kind: "register", index: 2 },
  { kind: "register", index: 3 },
];
/** The child's process ID, in the phases of the launcher behind the clone. */
export const CHILD: Register = { kind: "register", index: 4 };
/** The container's ends of the launcher's own pipes; -1 where a stream is the caller's. */
export const OWN_PIPES: readonly [Register, Register, Register] = [
  { kind: "register", index: 5 },
  { kind: "register", index: 6 },
  { kind: "register", index: 7 },
];
export const FIRST_FREE_REGISTER = 8;
/** The last one, 255, means "none" in the image. */
export const REGISTER_COUNT = 255;

/** The report socket is always at this descriptor. */
export const REPORT_FD = 3;
/** From here on a descriptor is the host's business: closed before the program runs. */
export const FIRST_CLOSED_FD = REPORT_FD + 1;

export function flags(...names: readonly ConstantName[]): Flags {
  return { kind: "flags", names };
}

/** Permission bits, shown in octal. */
export function mode(bits: number): Flags {
  return { kind: "flags", names: [], bits };
}

export function words(text: string, ...content: Words["words"]): Words {
  return { kind: "words", words: content, text };
}

export function bytes(text: string, content: Uint8Array): Bytes {
  return { kind: "bytes", bytes: content, text };
}
