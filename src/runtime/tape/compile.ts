import { posix } from "node:path";
import type { Namespace, NamespaceType, Spec } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import type { CgroupPlan } from "../cgroup/plan.ts";
import { changeAttributes } from "./attributes.ts";
import { cgroupViews, joinCgroups, makeCgroups, removeCgroups } from "./cgroup.ts";
import type { ConstantName } from "./constants.ts";
import { dieWithLauncher, dropPrivileges } from "./credentials.ts";
import { makeDevices } from "./devices.ts";
import { execute } from "./exec.ts";
import { maskPaths, protectPaths } from "./masks.ts";
import { mountAll } from "./mounts.ts";
import {
  beginSession,
  checkLauncher,
  enterDirectory,
  nameHost,
  raiseLoopback,
  setLimits,
  setSysctls,
} from "./process.ts";
import { mountRoot } from "./rootfs.ts";
import { Steps } from "./steps.ts";
import { connectStreams, makeConsole } from "./streams.ts";
import type { Register, Step, Strings, Tape, TapeFiles, TapeOption } from "./tape.ts";
import { flags, mode, REPORT_FD } from "./tape.ts";
import { directoryTarget, relativeToRoot } from "./target.ts";

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
  /** A reaping, signal-forwarding PID 1 in front of the command. */
  readonly init: boolean;
  /** struct sock_filter[] of `spec.linux.seccomp`. */
  readonly seccompFilter?: Buffer;
}

export interface ProgramCall {
  readonly argv: readonly [string, ...string[]];
  readonly env: readonly string[];
  /** As an error message begins. */
  readonly why: string;
}

export type LaunchIo =
  | { readonly kind: "foreground"; readonly tty: boolean; readonly interactive: boolean }
  | {
      readonly kind: "detached";
      readonly tty: boolean;
      readonly interactive: boolean;
      readonly logFile: string;
      /** What the launcher prints when the container runs. */
      readonly printId: string;
    };

/**
 * Compiles a runtime spec into the system calls that launch it. Pure: asks nothing of the
 * machine, so that what depends on it (a path that may be missing) is decided by the tape.
 *
 * @throws TsimgError ERR_LAUNCH, ERR_USAGE for what no tape can do
 */
export function compileTape(request: LaunchRequest): Tape {
  const { spec, io } = request;
  const before = new Steps();
  makeCgroups(before, request.cgroup);
  const options: TapeOption[] = [
    ...(io.kind === "detached" ? ["detached" as const] : []),
    ...(io.tty ? ["tty" as const] : []),
    ...(io.interactive ? ["stdin" as const] : []),
  ];
  return {
    before: before.list,
    cloneFlags: cloneFlags(spec.linux.namespaces),
    child: compileChild(request),
    after: compileAfter(request),
    options,
    files: launcherFiles(request),
    ...(io.kind === "detached" ? { printId: io.printId } : {}),
  };
}

function compileChild(request: LaunchRequest): readonly Step[] {
  const { spec, io } = request;
  const { process } = spec;
  const steps = new Steps();
  dieWithLauncher(steps);
  const dumpable = flags("PR_SET_DUMPABLE");
  steps.call("prctl", [dumpable, 0, 0, 0, 0], "hiding the launcher's memory and program file");
  joinCgroups(steps, request.cgroup);
  enterNamespaces(steps, spec.linux.namespaces);
  steps.call("umask", [0], "making modes count as written");
  connectStreams(steps, io, io.kind === "detached" ? process.user.uid : undefined);
  setLimits(steps, process);
  steps.scope(() => {
    const root = buildRoot(steps, request);
    enterRoot(steps, root);
  });
  nameHost(steps, spec);
  if (isNew(spec, "network")) raiseLoopback(steps);
  enterDirectory(steps, process.cwd);
  const umask = process.user.umask ?? 0o022;
  steps.call("umask", [mode(umask)], `setting the umask to 0${umask.toString(8)}`);
  const program = request.seccompFilter;
  dropPrivileges(
    steps,
    process,
    program === undefined ? undefined : { program, spec: spec.linux.seccomp },
  );
  checkLauncher(steps);
  if (request.init) steps.call("init", [], "leaving a reaping init process as PID 1");
  beginSession(steps, io.tty);
  execute(steps, process);
  return steps.list;
}

/** Mounts the root and all that belongs in it, nothing of it through a path of the host. */
function buildRoot(steps: Steps, request: LaunchRequest): Register {
  const { spec } = request;
  separateMounts(steps, spec);
  const root = mountRoot(steps, spec.root.path, request.rootMounts);
  mountAll(steps, root, spec.mounts, cgroupViews(request.cgroup, spec.linux.cgroupsPath));
  setSysctls(steps, root, spec);
  makeDevices(steps, root, spec);
  if (request.io.tty) makeConsole(steps, root, spec.process);
  if (relativeToRoot(spec.process.cwd) !== ".") {
    steps.scope(() => directoryTarget(steps, root, spec.process.cwd));
  }
  maskPaths(steps, root, spec);
  protectPaths(steps, root, spec);
  if (spec.root.readonly === true) {
    const why = "making the root read-only";
    changeAttributes(steps, root, { set: ["MOUNT_ATTR_RDONLY"] }, why, "mount");
  }
  return root;
}

/** The mount namespace's own copies must not pass mounts on to the host. */
function separateMounts(steps: Steps, spec: Spec): void {
  const wanted = spec.linux.rootfsPropagation;
  const follows = (it: string) => /^r?(shared|slave)$/.test(it);
  const anyFollows = spec.mounts.some((mount) => mount.options.some(follows));
  const receive = anyFollows || wanted === "shared" || wanted === "slave";
  const kind = flags("MS_REC", receive ? "MS_SLAVE" : "MS_PRIVATE");
  steps.call(
    "mount",
    ["none", "/", 0, kind, 0],
    "separating the container's mounts from the host's",
  );
}

/** The old root ends on top of the new one at "/", from where it is unmounted. */
function enterRoot(steps: Steps, root: Register): void {
  const why = "entering the container's root";
  steps.call("fchdir", [root], why);
  steps.call("pivot_root", [".", "."], why, {
    hint: "pivot_root does not work from an initramfs: boot from a real root file system",
  });
  steps.call("umount2", [".", flags("MNT_DETACH")], why);
  steps.call("chdir", ["/"], why);
  const all = 0xffff_ffff;
  steps.call("close_range", [REPORT_FD + 1, all, 0], "letting go of everything of the host");
}

const CLONE_FLAGS: Readonly<Partial<Record<NamespaceType, ConstantName>>> = {
  pid: "CLONE_NEWPID",
  mount: "CLONE_NEWNS",
  uts: "CLONE_NEWUTS",
  ipc: "CLONE_NEWIPC",
  network: "CLONE_NEWNET",
  cgroup: "CLONE_NEWCGROUP",
};

/** A cgroup namespace begins where its maker is: it is made after joining. */
function cloneFlags(namespaces: readonly Namespace[]): readonly ConstantName[] {
  if (!namespaces.some(({ type, path }) => type === "mount" && path === undefined)) {
    throw new TsimgError("ERR_LAUNCH", "a container needs a mount namespace of its own");
  }
  return namespaces.flatMap(({ type, path }) => {
    const flag = CLONE_FLAGS[type];
    if (flag === undefined || (path !== undefined && type === "pid")) {
      throw new TsimgError(
        "ERR_LAUNCH",
        path === undefined
          ? `namespaces of type "${type}" are not supported`
          : `the ${type} namespace "${path}" cannot be joined`,
      );
    }
    return path === undefined && type !== "cgroup" ? [flag] : [];
  });
}

function enterNamespaces(steps: Steps, namespaces: readonly Namespace[]): void {
  for (const { type, path } of namespaces) {
    const flag = CLONE_FLAGS[type];
    if (path === undefined || flag === undefined) continue;
    const why = `joining the ${type} namespace "${path}"`;
    steps.scope(() => {
      const file = steps.keep("openat", [flags("AT_FDCWD"), path, flags("O_CLOEXEC")], why);
      steps.call("setns", [file, flags(flag)], why);
      steps.call("close", [file], why);
    });
  }
  if (namespaces.some(({ type, path }) => type === "cgroup" && path === undefined)) {
    steps.call("unshare", [flags("CLONE_NEWCGROUP")], "making a cgroup namespace");
  }
}

function isNew(spec: Spec, type: NamespaceType): boolean {
  return spec.linux.namespaces.some((it) => it.type === type && it.path === undefined);
}

function compileAfter(request: LaunchRequest): readonly Step[] {
  const steps = new Steps();
  removeCgroups(steps, request.cgroup);
  for (const path of request.removeAfter) {
    steps.call("rmtree", [path], `removing "${path}"`);
  }
  if (request.runAfter !== undefined) {
    const { argv, env, why } = request.runAfter;
    const args: Strings = { kind: "strings", values: argv };
    steps.call("program", [argv[0], args, { kind: "strings", values: env }], why);
  }
  return steps.list;
}

function launcherFiles(request: LaunchRequest): TapeFiles {
  const { stateDirectory, io, cgroup } = request;
  return {
    startedRecord: posix.join(stateDirectory, "started.json"),
    exitRecord: posix.join(stateDirectory, "exit.json"),
    ...(io.kind === "detached" ? { log: io.logFile } : {}),
    ...(cgroup.oomFile === undefined ? {} : { oom: cgroup.oomFile }),
  };
}
