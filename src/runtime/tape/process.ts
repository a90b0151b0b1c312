import type { Process, Rlimit, Spec } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { writeFile } from "./cgroup.ts";
import { isConstant } from "./constants.ts";
import type { Steps } from "./steps.ts";
import type { Register, Step } from "./tape.ts";
import { bytes, flags, REPORT_SOCKET, words } from "./tape.ts";
import { OPEN_HOW_SIZE, openHow, relativeToRoot } from "./target.ts";

const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** Of open files: making the container's root takes some dozens. */
const FILES = "RLIMIT_NOFILE";

/**
 * Resource limits, but that of open files. One that this machine does not let us raise is
 * left, and told if wanted.
 */
export function setLimits(steps: Steps, process: Process, warn: boolean): void {
  for (const limit of process.rlimits ?? []) if (limit.type !== FILES) setLimit(steps, limit, warn);
  if (process.oomScoreAdj !== undefined) {
    const value = String(process.oomScoreAdj);
    steps.scope(() => {
      writeFile(steps, "/proc/self/oom_score_adj", value, "setting oom_score_adj", true);
    });
  }
}

/** The limit of open files, once the container is made. */
export function limitFiles(steps: Steps, process: Process, warn: boolean): void {
  for (const limit of process.rlimits ?? []) if (limit.type === FILES) setLimit(steps, limit, warn);
}

function setLimit(steps: Steps, { type, soft, hard }: Rlimit, warn: boolean): void {
  if (!isConstant(type) || !type.startsWith("RLIMIT_")) {
    throw new TsimgError("ERR_LAUNCH", `unknown resource limit "${type}" in the spec`);
  }
  const limit = words(`{soft=${soft}, hard=${hard}}`, limitValue(soft), limitValue(hard));
  const why = `setting ${type} to ${soft}:${hard}`;
  steps.call("prlimit64", [0, flags(type), limit, 0], why, { tolerate: ["EPERM"], warn });
}

/** JSON can't hold the largest number exactly, so whatever is near it means "no limit". */
function limitValue(value: number): bigint {
  return value < 0 || value >= 2 ** 63 ? RLIM_INFINITY : BigInt(Math.trunc(value));
}

/** Kernel settings of the container's namespaces, written through its own /proc. */
export function setSysctls(steps: Steps, root: Register, spec: Spec): void {
  for (const [name, value] of Object.entries(spec.linux.sysctl ?? {})) {
    const path = `/proc/sys/${name.includes("/") ? name : name.replaceAll(".", "/")}`;
    const why = `setting sysctl ${name}=${value}`;
    steps.scope(() => {
      const how = openHow(["O_WRONLY", "O_CLOEXEC"], ["RESOLVE_IN_ROOT", "RESOLVE_NO_SYMLINKS"]);
      const args = [root, relativeToRoot(path), how, OPEN_HOW_SIZE];
      const fd = steps.keep("openat2", args, why);
      steps.call("write", [fd, value, Buffer.byteLength(value)], why);
      steps.call("close", [fd], why);
    });
  }
}

/** Names, and the loopback interface of a new network namespace. */
export function nameHost(steps: Steps, { hostname = "", domainname = "" }: Spec): void {
  const size = (text: string) => Buffer.byteLength(text);
  if (hostname !== "")
    steps.call("sethostname", [hostname, size(hostname)], `setting host name "${hostname}"`);
  if (domainname !== "")
    steps.call("setdomainname", [domainname, size(domainname)], `setting domain "${domainname}"`);
}

export function raiseLoopback(steps: Steps): void {
  const why = "raising the loopback interface";
  const request = new Uint8Array(40);
  request.set(Buffer.from("lo"));
  const IFF_UP = 0x1;
  const IFF_RUNNING = 0x40;
  new DataView(request.buffer).setUint16(16, IFF_UP | IFF_RUNNING, true);
  steps.scope(() => {
    const socket = steps.register();
    const kind = flags("SOCK_DGRAM", "SOCK_CLOEXEC");
    steps.attempt(
      () => steps.keep("socket", [flags("AF_INET"), kind, 0], why, { into: socket }),
      // A kernel without IPv4 has nothing to raise here.
      {
        tolerate: ["EAFNOSUPPORT"],
        ok: () => {
          const interfaceUp = bytes('{"lo", IFF_UP|IFF_RUNNING}', request);
          steps.call("ioctl", [socket, flags("SIOCSIFFLAGS"), interfaceUp], why);
          steps.call("close", [socket], why);
        },
      },
    );
  });
}

/**
 * The working directory. By now no descriptor of the host is open but the standard streams,
 * and the kernel refuses /proc/PID/fd links here, so that it can only be in the container.
 *
 * @param status of the launcher when it can't be entered
 */
export function enterDirectory(steps: Steps, cwd: string, status: Step["status"] = 125): void {
  const why = `changing to directory "${cwd}"`;
  if (relativeToRoot(cwd) === ".") return;
  steps.scope(() => {
    const root = flags("AT_FDCWD");
    const how = openHow(["O_PATH", "O_DIRECTORY", "O_CLOEXEC"]);
    const args = [root, relativeToRoot(cwd), how, OPEN_HOW_SIZE];
    const directory = steps.keep("openat2", args, why, {
      hint: "--workdir must name a directory in the container",
      status,
    });
    steps.call("fchdir", [directory], why, { status });
    steps.call("close", [directory], why);
  });
}

/** The launcher may have died before PR_SET_PDEATHSIG: its end of the socket tells. */
export function checkLauncher(steps: Steps): void {
  const why = "checking that the launcher lives";
  const peek = flags("MSG_PEEK", "MSG_DONTWAIT");
  const byte = bytes("{byte}", new Uint8Array(8));
  steps.attempt(() => steps.call("recvfrom", [REPORT_SOCKET, byte, 1, peek, 0, 0], why), {
    tolerate: ["EAGAIN"],
    ok: () => steps.fail("the launcher is gone", 125),
  });
}

/** The launcher blocks what it reads from a descriptor; a program has to find all open. */
export function unblockSignals(steps: Steps): void {
  const none = bytes("[]", new Uint8Array(8));
  steps.call("rt_sigprocmask", [flags("SIG_SETMASK"), none, 0, 8], "unblocking all signals");
}

/** A keyring without the caller's keys. @see session-keyring(7) */
export function joinKeyring(steps: Steps): void {
  const join = flags("KEYCTL_JOIN_SESSION_KEYRING");
  // A kernel without keyrings has nothing to hide; the quota may be full of others' keyrings.
  steps.call("keyctl", [join, 0, 0, 0, 0], "joining a session keyring of its own", {
    tolerate: ["ENOSYS", "EDQUOT", "EPERM"],
  });
}

/** Signals as a fresh process has them, and a session of its own. */
export function beginSession(steps: Steps, tty: boolean): void {
  unblockSignals(steps);
  steps.call("setsid", [], "beginning a session");
  if (tty) {
    steps.call("ioctl", [0, flags("TIOCSCTTY"), 0], "taking the controlling terminal");
  }
}
