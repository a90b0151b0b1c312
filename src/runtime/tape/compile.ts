import { posix } from "node:path";
import { setAppArmor } from "./apparmor.ts";
import { changeAttributes } from "./attributes.ts";
import { cgroupViews, joinCgroups, makeCgroups, removeCgroups } from "./cgroup.ts";
import { connectNetwork, disconnectNetwork, enterNetwork } from "./connect-network.ts";
import { dieWithLauncher, dropPrivileges, hideLauncher } from "./credentials.ts";
import { makeDevices } from "./devices.ts";
import { enterRoot, separateMounts } from "./enter-root.ts";
import { execute } from "./exec.ts";
import { awaitGate, openGate } from "./gate.ts";
import { dropAndHandOver } from "./handover.ts";
import { holdPorts } from "./held-ports.ts";
import { containerHooks, hostHooks, startHooks } from "./hooks.ts";
import {
  closeProcesses,
  type JoinedProcesses,
  joinProcesses,
  openProcesses,
} from "./joined-processes.ts";
import { maskPaths, protectPaths } from "./masks.ts";
import { mountAll } from "./mounts.ts";
import {
  cloneFlags,
  enterBeforeClone,
  enterNamespaces,
  isNew,
  userNamespaceOf,
} from "./namespaces.ts";
import { openAddresses } from "./network.ts";
import { giveStreams, letGo, type Prepared, prepareInLauncher } from "./prepare-in-launcher.ts";
import {
  beginSession,
  checkLauncher,
  enterDirectory,
  joinKeyring,
  limitFiles,
  nameHost,
  raiseLoopback,
  setLimits,
  setSysctls,
  unblockSignals,
} from "./process.ts";
import type { LaunchIo, LaunchRequest, ProgramCall } from "./request.ts";
import { mountRoot, placeRoot } from "./rootfs.ts";
import { borrowSharedMemory, showSharedMemory } from "./shared-memory.ts";
import { Steps } from "./steps.ts";
import { connectConsole, connectStreams, makeConsole } from "./streams.ts";
import type { Register, Step, Strings, Tape, TapeFiles, TapeOption } from "./tape.ts";
import { flags, mode } from "./tape.ts";
import { directoryTarget, relativeToRoot } from "./target.ts";
import { becomeMappedRoot, writeMaps } from "./user-namespace.ts";

/**
 * Compiles a runtime spec into the system calls that launch it. Pure: asks nothing of the
 * machine, so that what depends on it (a path that may be missing) is decided by the tape.
 *
 * @throws TsimgError ERR_LAUNCH, ERR_USAGE for what no tape can do
 */
export function compileTape(request: LaunchRequest): Tape {
  const { spec, io, gate, mapWriter = { kind: "kernel" } } = request;
  const before = new Steps();
  makeCgroups(before, request.cgroup);
  const inside = request.network?.inside;
  const held: Omit<Held, "prepared" | "processes"> = {
    addresses: inside === undefined ? undefined : openAddresses(before, inside),
    memory:
      request.sharedMemoryOf === undefined
        ? undefined
        : borrowSharedMemory(before, request.sharedMemoryOf),
    gate: gate === undefined ? undefined : openGate(before, gate),
    console:
      io.kind === "direct" && io.consoleSocket !== undefined
        ? connectConsole(before, io.consoleSocket)
        : undefined,
  };
  const prepared = prepareInLauncher(before, request);
  holdPorts(before, request.network?.hold ?? []);
  const processes = openProcesses(before, spec);
  enterBeforeClone(before, spec.linux);
  const beside = new Steps(before);
  if (processes !== undefined) closeProcesses(beside, processes);
  if (prepared !== undefined) letGo(beside, prepared);
  giveStreams(beside, request);
  writeMaps(beside, spec.linux, mapWriter);
  hostHooks(beside, spec, request.hooked);
  connectNetwork(beside, request.network, held.addresses);
  const child = new Steps(before);
  compileChild(child, request, { ...held, prepared, processes });
  return {
    before: before.list,
    cloneFlags: cloneFlags(spec.linux.namespaces),
    beside: beside.list,
    child: child.list,
    after: compileAfter(request),
    options: [...optionsOf(request), ...(processes === undefined ? [] : ["handover" as const])],
    files: launcherFiles(request),
    ...(io.kind === "detached" && io.printId !== undefined ? { printId: io.printId } : {}),
    ...(io.kind === "foreground" && io.detachKeys !== undefined
      ? { detachKeys: io.detachKeys }
      : {}),
    ...(request.health === undefined ? {} : { health: request.health }),
  };
}

/** What the launcher opens for the child. */
interface Held {
  readonly prepared: Prepared | undefined;
  readonly processes: JoinedProcesses | undefined;
  readonly addresses: Register | undefined;
  readonly memory: Register | undefined;
  readonly gate: Register | undefined;
  readonly console: Register | undefined;
}

export function optionsOf({ io, gate, transient, spec }: LaunchRequest): readonly TapeOption[] {
  const options: TapeOption[] = gate !== undefined || transient ? ["transient"] : [];
  if (io.kind === "direct") return [...options, "direct"];
  if (io.kind === "detached") options.push("detached");
  else options.push(...callersSide(io));
  if (io.tty) options.push("tty");
  // Whoever isn't the caller could not open the caller's own streams again.
  const other = spec.process.user.uid !== 0 || userNamespaceOf(spec.linux.namespaces) !== undefined;
  if (other) options.push("relay");
  if (io.interactive) options.push("stdin");
  return options;
}

/** What of the container is the caller's in the foreground. */
function callersSide(io: Extract<LaunchIo, { kind: "foreground" }>): readonly TapeOption[] {
  const { leave = [], keepSignals = false } = io;
  const options: TapeOption[] = keepSignals ? ["keepSignals"] : [];
  if (leave.includes("stdout")) options.push("leaveStdout");
  if (leave.includes("stderr")) options.push("leaveStderr");
  return options;
}

function compileChild(steps: Steps, request: LaunchRequest, held: Held): void {
  const { spec, io } = request;
  const { process } = spec;
  const stays = held.gate === undefined && request.transient !== true;
  if (stays) dieWithLauncher(steps);
  hideLauncher(steps);
  joinCgroups(steps, request.cgroup.procsFiles);
  if (userNamespaceOf(spec.linux.namespaces) !== undefined) {
    becomeMappedRoot(steps, spec.linux, request.mapWriter ?? { kind: "kernel" });
    // The kernel forgets both when the user changes.
    if (stays) dieWithLauncher(steps);
    hideLauncher(steps);
  }
  enterNamespaces(steps, spec.linux.namespaces);
  joinKeyring(steps);
  steps.call("umask", [0], "making modes count as written");
  connectStreams(steps, io, process.user.uid === 0 ? undefined : process.user.uid);
  // Callers of OCI runtimes take whatever is written for the reason of a failure.
  setLimits(steps, process, io.kind !== "direct");
  steps.scope(() => {
    const root = buildRoot(steps, request, held);
    containerHooks(steps, spec, request.hooked);
    if (held.processes !== undefined) joinProcesses(steps, held.processes);
    const { apparmorProfile } = process;
    if (apparmorProfile !== undefined && apparmorProfile !== "")
      setAppArmor(steps, apparmorProfile, held.processes === undefined ? "own" : "host");
    hidePaths(steps, root, request);
    if (request.network !== undefined) enterNetwork(steps, request.network, held.addresses);
    enterRoot(steps, root, held.gate);
  });
  nameHost(steps, spec);
  const connected = request.network?.inside !== undefined;
  if (isNew(spec.linux.namespaces, "network") && !connected) raiseLoopback(steps);
  enterDirectory(steps, process.cwd);
  const umask = process.user.umask ?? 0o022;
  steps.call("umask", [mode(umask)], `setting the umask to 0${umask.toString(8)}`);
  const program = request.seccompFilter;
  limitFiles(steps, process, io.kind !== "direct");
  const drop = held.processes === undefined ? dropPrivileges : dropAndHandOver;
  drop(steps, process, {
    filter: program === undefined ? undefined : { program, spec: spec.linux.seccomp },
    diesWithLauncher: stays,
    keepsGroups: request.unprivileged === true,
  });
  if (stays) checkLauncher(steps);
  if (request.init) steps.call("init", [], "leaving a reaping init process as PID 1");
  beginSession(steps, io.tty);
  if (held.gate !== undefined) awaitGate(steps, process);
  startHooks(steps, spec, request.hooked);
  execute(steps, process);
}

/** Mounts the root and all that belongs in it, nothing of it through a path of the host. */
function buildRoot(
  steps: Steps,
  request: LaunchRequest,
  { console, memory, prepared, processes }: Held,
): Register {
  const { spec } = request;
  separateMounts(steps, spec);
  if (prepared !== undefined) placeRoot(steps, prepared.root);
  const root = prepared?.root ?? mountRoot(steps, spec.root.path, request.rootMounts);
  const cgroups = cgroupViews(request.cgroup, spec.linux.cgroupsPath);
  const opened = new Map([...(prepared?.sources ?? []), ...(processes?.procs ?? [])]);
  mountAll(steps, root, spec.mounts, cgroups, opened);
  if (memory !== undefined) showSharedMemory(steps, root, memory);
  setSysctls(steps, root, spec);
  const mapped = userNamespaceOf(spec.linux.namespaces) !== undefined;
  makeDevices(steps, root, spec, mapped || request.unprivileged === true);
  if (request.io.tty) makeConsole(steps, root, spec.process, console);
  if (relativeToRoot(spec.process.cwd) !== ".") {
    steps.scope(() => directoryTarget(steps, root, spec.process.cwd));
  }
  return root;
}

/** What the container must not see or change, once all that it has is in its place. */
function hidePaths(steps: Steps, root: Register, { spec }: LaunchRequest): void {
  maskPaths(steps, root, spec);
  protectPaths(steps, root, spec);
  if (spec.root.readonly === true) {
    const why = "making the root read-only";
    changeAttributes(steps, root, { set: ["MOUNT_ATTR_RDONLY"] }, why, "mount");
  }
}

export function compileAfter(request: LaunchRequest): readonly Step[] {
  const steps = new Steps();
  disconnectNetwork(steps, request.network);
  killRest(steps, request);
  removeCgroups(steps, request.cgroup);
  for (const path of request.removeAfter) {
    steps.call("rmtree", [path], `removing "${path}"`);
  }
  if (request.runAfter !== undefined) {
    const { argv, env, why } = request.runAfter;
    steps.call("program", [argv[0], strings(argv), strings(env)], why);
  }
  if (request.becomeAfter !== undefined)
    becomeProgram(steps, request.becomeAfter, request.becomeWith);
  return steps.list;
}

/** A PID namespace ends with its first process; without one the others go on. */
function killRest(steps: Steps, { spec, cgroup, gate, transient }: LaunchRequest): void {
  const [procs] = cgroup.procsFiles;
  const left = gate !== undefined || transient === true;
  if (left || procs === undefined || isNew(spec.linux.namespaces, "pid")) return;
  steps.call("killgroup", [procs], "ending the container's other processes");
}

/**
 * The launcher's last step: what comes after it has no tape.
 *
 * @param condition path of a file without which it is left out
 */
function becomeProgram(steps: Steps, { argv, env, why }: ProgramCall, condition?: string): void {
  const become = () => {
    unblockSignals(steps);
    steps.call("execve", [argv[0], strings(argv), strings(env)], why);
  };
  if (condition === undefined) return become();
  const args = [flags("AT_FDCWD"), condition, flags("O_PATH", "O_CLOEXEC")];
  const asked = () => steps.call("openat", args, "asking whether its restart was asked for");
  steps.attempt(asked, { tolerate: "any", ok: become });
}

function strings(values: readonly string[]): Strings {
  return { kind: "strings", values };
}

export function launcherFiles(request: LaunchRequest): TapeFiles {
  const { stateDirectory, io, cgroup, pidFile } = request;
  const log = io.kind === "direct" ? undefined : io.logFile;
  const limit = io.kind === "direct" ? undefined : io.logLimit;
  const attachSocket = io.kind === "direct" ? undefined : io.attachSocket;
  return {
    startedRecord: posix.join(stateDirectory, "started.json"),
    exitRecord: posix.join(stateDirectory, "exit.json"),
    ...(log === undefined ? {} : { log }),
    ...(limit === undefined ? {} : { logLimit: limit }),
    ...(attachSocket === undefined ? {} : { attachSocket }),
    ...(pidFile === undefined ? {} : { pid: pidFile }),
    ...(cgroup.oomFile === undefined ? {} : { oom: cgroup.oomFile }),
  };
}
