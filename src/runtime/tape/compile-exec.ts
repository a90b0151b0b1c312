import type { Process, Seccomp } from "../../oci/runtime-spec.ts";
import { joinCgroups } from "./cgroup.ts";
import type { ConstantName } from "./constants.ts";
import { dieWithLauncher, dropPrivileges, hideLauncher } from "./credentials.ts";
import { execute } from "./exec.ts";
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
  /** Whether it is launched from within an ordinary user's namespaces. */
  readonly unprivileged?: boolean;
  /** The launcher ends when the program runs, and leaves it to whoever called. */
  readonly transient?: boolean;
  /** Files that are not needed any more when the process has ended. */
  readonly removeAfter: readonly string[];
}

/** What a process finds itself in only when it is cloned by one that has joined. */
const FOR_CHILDREN: readonly ConstantName[] = ["CLONE_NEWPID", "CLONE_NEWTIME"];

/**
 * Compiles what adds a process to a container: it joins the cgroups while it is on the host,
 * then all namespaces at once, then drops to what the container may do.
 *
 * Nothing of the host is open once it is in the container's PID namespace but the report
 * socket, and it can't be traced (CVE-2016-9962).
 */
export function compileExec(request: ExecRequest): Tape {
  const { io, target, namespaces } = request;
  const before = new Steps();
  // From its first moment the clone is among the container's processes.
  hideLauncher(before);
  const container: Argument =
    "pidfd" in target
      ? target.pidfd
      : before.keep("pidfd_open", [target.pid, 0], "finding the container's first process");
  const forChildren = namespaces.filter((name) => FOR_CHILDREN.includes(name));
  if (forChildren.length > 0) {
    before.call("setns", [container, flags(...forChildren)], "joining the container's processes");
  }
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
    files: request.pidFile === undefined ? {} : { pid: request.pidFile },
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
  const joined = namespaces.filter((name) => !FOR_CHILDREN.includes(name));
  // With a mount namespace come its root and working directory.
  steps.call("setns", [container, flags(...joined)], "joining the container");
  if (joined.includes("CLONE_NEWUSER")) becomeRoot(steps);
  if (io.tty) openTerminal(steps, process, console);
  const all = [FIRST_CLOSED_FD, 0xffff_ffff, 0];
  steps.call("close_range", all, "letting go of everything of the host");
  enterDirectory(steps, process.cwd);
  const umask = process.user.umask ?? 0o022;
  steps.call("umask", [mode(umask)], `setting the umask to 0${umask.toString(8)}`);
  limitFiles(steps, process, io.kind !== "direct");
  dropPrivileges(steps, process, {
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

function optionsOf({
  io,
  process,
  namespaces,
  transient = false,
}: ExecRequest): readonly TapeOption[] {
  if (io.kind === "direct") return transient ? ["direct", "transient"] : ["direct"];
  return [
    ...(io.kind === "detached" ? ["detached" as const] : []),
    ...(io.tty ? ["tty" as const] : []),
    ...(process.user.uid !== 0 || namespaces.includes("CLONE_NEWUSER") ? ["relay" as const] : []),
    ...(io.interactive ? ["stdin" as const] : []),
  ];
}
