import { existsSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "./errno.ts";
import { TsimgError } from "./error.ts";

/** Debian's package of each program that tsimg may need and that isn't always there. */
const PACKAGES: Readonly<Record<string, string>> = {
  zfs: "zfsutils-linux (or zfs-fuse)",
  zpool: "zfsutils-linux (or zfs-fuse)",
  "mkfs.btrfs": "btrfs-progs",
  "mkfs.xfs": "xfsprogs",
  "mkfs.ext4": "e2fsprogs",
  dmsetup: "dmsetup",
  blockdev: "util-linux",
  thin_check: "thin-provisioning-tools",
  ip: "iproute2",
  nft: "nftables",
  conntrack: "conntrack",
  nsenter: "util-linux",
  unshare: "util-linux",
  flock: "util-linux",
  mount: "mount",
  umount: "mount",
  losetup: "mount",
};

/** Where administrators' programs are, whatever PATH the caller was started with. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Out of reach of Ctrl-C and of whoever kills our process group: a command cut off in the
 * middle leaves a file system half made, or a daemon waiting for it for ever. (Node's types
 * know this option only of `spawn`.)
 */
const OWN_GROUP = { detached: true };

/** No listing of ours is longer. */
const MOST_OUTPUT = 256 << 20;

export interface ProgramOptions {
  /** Text for standard input; it is empty otherwise. */
  readonly input?: string;
  /** Milliseconds after which it is killed. */
  readonly patience?: number;
}

export interface ProgramOutcome {
  /** 128 and more: a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end and answers with its standard output. No shell; the language is
 * C, so that output can be parsed, and nothing else of our environment is passed on.
 *
 * @throws TsimgError ERR_DRIVER when the program isn't there, with the package that has it,
 *         or when it fails, with the command, its status and the last line of stderr
 */
export function runProgram(argv: readonly string[], options: ProgramOptions = {}): string {
  const outcome = programOutcome(argv, options);
  if (outcome.status === 0) return outcome.stdout;
  throw programFailure(argv, outcome);
}

/** As {@link runProgram}, whatever the program's status. */
export function programOutcome(
  argv: readonly string[],
  options: ProgramOptions = {},
): ProgramOutcome {
  const [program = "", ...args] = argv;
  // Loaded here and not on import: it takes 5 ms, which most commands have no use for.
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const run = spawnSync(program, args, {
    ...OWN_GROUP,
    env: { PATH, LC_ALL: "C", HOME: "/" },
    input: options.input ?? "",
    encoding: "utf8",
    maxBuffer: MOST_OUTPUT,
    ...(options.patience !== undefined && { timeout: options.patience, killSignal: "SIGKILL" }),
  });
  if (run.error !== undefined) throw notStarted(program, run.error);
  const { constants } = process.getBuiltinModule("node:os");
  const signal = run.signal === null ? 0 : 128 + constants.signals[run.signal];
  return { status: run.status ?? signal, stdout: run.stdout, stderr: run.stderr };
}

/** What to throw for an outcome that the caller doesn't understand either. */
export function programFailure(argv: readonly string[], outcome: ProgramOutcome): TsimgError {
  const said = outcome.stderr.trim() === "" ? outcome.stdout : outcome.stderr;
  const last = said.trim().split("\n").at(-1);
  const reason = last === undefined || last === "" ? "" : `: ${last}`;
  return new TsimgError(
    "ERR_DRIVER",
    `'${argv.join(" ").slice(0, 400)}' ended with status ${outcome.status}${reason}`,
  );
}

/** Debian's package that has a program, or undefined for those that are always there. */
export function packageOf(program: string): string | undefined {
  return PACKAGES[program];
}

/** Where a program is, or undefined when it isn't installed. */
export function programPath(program: string): string | undefined {
  return PATH.split(":")
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path));
}

/** @throws TsimgError ERR_DRIVER for the first that isn't installed, with its package */
export function requirePrograms(programs: readonly string[]): void {
  const absent = programs.find((program) => programPath(program) === undefined);
  if (absent !== undefined) throw notInstalled(absent);
}

function notStarted(program: string, cause: Error): TsimgError {
  if (errorCode(cause) === "ETIMEDOUT")
    return new TsimgError("ERR_DRIVER", `'${program}' was given up: it did not end`, { cause });
  if (errorCode(cause) !== "ENOENT")
    return new TsimgError("ERR_DRIVER", `can't run '${program}'`, { cause });
  return notInstalled(program);
}

function notInstalled(program: string): TsimgError {
  const name = packageOf(program);
  return new TsimgError("ERR_DRIVER", `the program '${program}' is not installed`, {
    ...(name !== undefined && { hint: `install Debian's package ${name}` }),
  });
}
