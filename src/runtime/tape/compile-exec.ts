import type { Process, Seccomp } from "../../oci/runtime-spec.ts";
import { setAppArmor } from "./apparmor.ts";
import { joinCgroups } from "./cgroup.ts";
import type { ConstantName } from "./constants.ts";
import { dieWithLauncher, dropPrivileges, hideLauncher } from "./credentials.ts";
import { execute } from "./exec.ts";
import { dropAndHandOver } from "./handover.ts";
import {
  beginSession,
  checkLauncher,
  enterDirectory,
  joinKeyring,
  limitFiles,
  setLimits,
} from "./process.ts";
import type { LaunchIo } from "./request.ts";
import { Steps } from "./steps.ts";
import { connectConsole, connectStreams, openTerminal } from "./streams.ts";
import type { Argument, Register, Tape, TapeOption } from "./tape.ts";
import { FIRST_CLOSED_FD, flags, mode } from "./tape.ts";

/** One more process in a container that runs. */
export interface ExecRequest {
  readonly process: Process;
  /** The container's first process: its ID, or a descriptor of it that the launcher inherits. */
  readonly target: { readonly pid: number } | { readonly pidfd: number };
  /** Namespaces of the target to join, as flags of setns(2); PID and time among them. */
  readonly namespaces: readonly ConstantName[];
  /** Of the container's cgroups. */
  readonly procsFiles: readonly string[];
  readonly seccomp: Seccomp | undefined;
  readonly seccompFilter?: Buffer;
  readonly io: LaunchIo;
  readonly pidFile?: string;
  /** Where the launcher writes how it has ended. */
  readonly exitRecord?: string;
  /** Whether it is launched from within an ordinary user's namespaces. */
  readonly unprivileged?: boolean;
  /** The launcher ends when the program runs, and leaves it to whoever called. */
  readonly transient?: boolean;
  /** Files that are not needed any more when the process has ended. */
  readonly removeAfter: readonly string[];
}

/**
 * Compiles what adds a process to a container: it joins the cgroups while it is on the host,
 * then all namespaces at once, then drops to what the container may do.
 *
 * All that is done by a process that isn't in the container's PID namespace, where nobody sees
 * it. Into that goes a copy of it, which has the container's root and rights, nothing of the
 * host but the report socket, and can't be traced (CVE-2016-9962).
 */
export function compileExec(request: ExecRequest): Tape {
  const { io, target } = request;
  const before = new Steps();
  // With the host's processes the container sees the clone from its first moment.
  hideLauncher(before);
  const container: Argument =
    "pidfd" in target
      ? target.pidfd
      : before.keep("pidfd_open", [target.pid, 0], "finding the container's first process");
  const console =
    io.kind === "direct" && io.consoleSocket !== undefined
      ? connectConsole(before, io.consoleSocket)
      : undefined;
  const child = new Steps(before);
  compileChild(child, request, container, console);
  const after = new Steps();
  for (const path of request.removeAfter) after.call("rmtree", [path], `removing "${path}"`);
  return {
    before: before.list,
    cloneFlags: [],
    beside: [],
    child: child.list,
    after: after.list,
    options: optionsOf(request),
    files: {
      ...(request.pidFile === undefined ? {} : { pid: request.pidFile }),
      ...(request.exitRecord === undefined ? {} : { exitRecord: request.exitRecord }),
    },
    ...(io.kind === "detached" && io.printId !== undefined ? { printId: io.printId } : {}),
    ...(io.kind === "foreground" && io.detachKeys !== undefined
      ? { detachKeys: io.detachKeys }
      : {}),
  };
}

function compileChild(
  steps: Steps,
  request: ExecRequest,
  container: Argument,
  console: Register | undefined,
): void {
  const { process, io, namespaces, seccomp, seccompFilter: program, transient } = request;
  const stays = transient !== true;
  if (stays) dieWithLauncher(steps);
  hideLauncher(steps);
  joinCgroups(steps, request.procsFiles, request.unprivileged);
  joinKeyring(steps);
  connectStreams(steps, io, process.user.uid === 0 ? undefined : process.user.uid);
  // Callers of OCI runtimes take whatever is written for the reason of a failure.
  setLimits(steps, process, io.kind !== "direct");
  if (process.apparmorProfile !== undefined && process.apparmorProfile !== "")
    setAppArmor(steps, process.apparmorProfile, "host");
  // With a mount namespace come its root and working directory; of PID namespaces, none yet.
  steps.call("setns", [container, flags(...namespaces)], "joining the container");
  if (namespaces.includes("CLONE_NEWUSER")) becomeRoot(steps);
  if (io.tty) openTerminal(steps, process, console);
  const all = [FIRST_CLOSED_FD, 0xffff_ffff, 0];
  steps.call("close_range", all, "letting go of everything of the host");
  // Of an exec, docker's status; what calls an OCI runtime takes any.
  enterDirectory(steps, process.cwd, 126);
  const umask = process.user.umask ?? 0o022;
  steps.call("umask", [mode(umask)], `setting the umask to 0${umask.toString(8)}`);
  limitFiles(steps, process, io.kind !== "direct");
  const drop = handsOver(request) ? dropAndHandOver : dropPrivileges;
  drop(steps, process, {
    filter: program === undefined ? undefined : { program, spec: seccomp },
    diesWithLauncher: stays,
    keepsGroups: request.unprivileged === true,
  });
  if (stays) checkLauncher(steps);
  beginSession(steps, io.tty);
  execute(steps, process);
}

function becomeRoot(steps: Steps): void {
  const why = "becoming root of the container's user namespace";
  steps.call("setresgid", [0, 0, 0], why);
  steps.call("setresuid", [0, 0, 0], why);
}

function handsOver({ namespaces }: ExecRequest): boolean {
  return namespaces.includes("CLONE_NEWPID");
}

function optionsOf(request: ExecRequest): readonly TapeOption[] {
  const { io, process, namespaces, transient = false } = request;
  const options: TapeOption[] = handsOver(request) ? ["handover"] : [];
  if (io.kind === "direct")
    return [...options, "direct", ...(transient ? ["transient" as const] : [])];
  if (io.kind === "detached") options.push("detached");
  if (io.tty) options.push("tty");
  if (process.user.uid !== 0 || namespaces.includes("CLONE_NEWUSER")) options.push("relay");
  if (io.interactive) options.push("stdin");
  return options;
}
