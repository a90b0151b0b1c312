import { compileAfter, compileTape, launcherFiles, optionsOf } from "./compile.ts";
import { connectNetwork, enterNetwork } from "./connect-network.ts";
import { dieWithLauncher } from "./credentials.ts";
import { separateMounts } from "./enter-root.ts";
import { holdPorts } from "./held-ports.ts";
import { isNew } from "./namespaces.ts";
import { openAddresses } from "./network.ts";
import { beginSession, checkLauncher, raiseLoopback, setSysctls } from "./process.ts";
import type { LaunchRequest } from "./request.ts";
import { mountRoot } from "./rootfs.ts";
import { Steps } from "./steps.ts";
import { connectStreams, openTerminal } from "./streams.ts";
import { FIRST_CLOSED_FD, flags, mode, type Register, type Strings, type Tape } from "./tape.ts";

/** Command lines of another OCI runtime; the programs by absolute paths. */
export interface ForeignCall {
  /** Runs the container and ends with its exit status. */
  readonly run: readonly [string, ...string[]];
  /** Settings of the network namespace, which the launcher's child makes. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Its log, in which a start that failed is told, and where it writes the process ID. */
  readonly log: string;
  readonly pidFile: string;
  /** Removes whatever there is of it; none is no error. */
  readonly remove: readonly [string, ...string[]];
}

/** The programs need nothing of the caller's environment. */
const ENVIRONMENT: Strings = {
  kind: "strings",
  values: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
};

/** The tape of a container, by whichever runtime. */
export function compileLaunch(request: LaunchRequest): Tape {
  const { foreign } = request;
  return foreign === undefined ? compileTape(request) : compileForeign(request, foreign);
}

/**
 * Compiles what is left for the launcher when another runtime makes the container: the child
 * mounts the root in a mount namespace of its own, gets its network, and becomes the runtime.
 */
function compileForeign(request: LaunchRequest, foreign: ForeignCall): Tape {
  const { spec, io, network } = request;
  const { namespaces } = spec.linux;
  const before = new Steps();
  const inside = network?.inside;
  const addresses = inside === undefined ? undefined : openAddresses(before, inside);
  holdPorts(before, network?.hold ?? []);
  const beside = new Steps(before);
  connectNetwork(beside, network, addresses);
  const child = new Steps(before);
  compileChild(child, request, foreign, addresses);
  const after = new Steps();
  // The runtime may have been killed, and the container lives.
  const { remove } = foreign;
  after.call("program", [remove[0], strings(remove), ENVIRONMENT, 0], "removing the container");
  return {
    before: before.list,
    cloneFlags: ["CLONE_NEWNS", ...(isNew(namespaces, "network") ? ["CLONE_NEWNET" as const] : [])],
    beside: beside.list,
    child: child.list,
    after: [...after.list, ...compileAfter(request)],
    options: optionsOf(request),
    files: {
      ...launcherFiles(request),
      runtime: { log: foreign.log, pid: foreign.pidFile, command: spec.process.args[0] ?? "" },
    },
    ...(io.kind === "detached" && io.printId !== undefined ? { printId: io.printId } : {}),
    ...(io.kind === "foreground" && io.detachKeys !== undefined
      ? { detachKeys: io.detachKeys }
      : {}),
  };
}

function compileChild(
  steps: Steps,
  request: LaunchRequest,
  { run, sysctls }: ForeignCall,
  addresses: Register | undefined,
): void {
  const { spec, io, network } = request;
  dieWithLauncher(steps);
  separateMounts(steps, spec);
  steps.call("umask", [mode(0o022)], "setting the umask to 022");
  connectStreams(steps, io, io.kind === "detached" ? spec.process.user.uid : undefined);
  steps.scope(() => mountRoot(steps, spec.root.path, request.rootMounts));
  if (network !== undefined) enterNetwork(steps, network, addresses);
  const connected = network?.inside !== undefined;
  if (isNew(spec.linux.namespaces, "network") && !connected) raiseLoopback(steps);
  steps.scope(() => {
    const how = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC");
    const why = "setting up the network namespace";
    const host = steps.keep("openat", [flags("AT_FDCWD"), "/", how], why);
    setSysctls(steps, host, { ...spec, linux: { ...spec.linux, sysctl: sysctls } });
  });
  steps.call("chdir", ["/"], "leaving the caller's directory");
  // The runtime makes another one in the container and passes on between the two.
  if (io.tty) openTerminal(steps, { ...spec.process, user: { uid: 0, gid: 0 } });
  const why = `executing "${run[0]}"`;
  steps.call("close_range", [FIRST_CLOSED_FD, 0xffff_ffff, 0], "letting go of everything else");
  checkLauncher(steps);
  beginSession(steps, io.tty);
  steps.call("execve", [run[0], strings(run), ENVIRONMENT], why, {
    hint: "--runtime must name an OCI runtime for this machine",
  });
}

function strings(values: readonly string[]): Strings {
  return { kind: "strings", values };
}
