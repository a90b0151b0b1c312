import type { Process } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { attach, cloneTree } from "./mounts.ts";
import type { LaunchIo } from "./request.ts";
import type { Steps } from "./steps.ts";
import type { Flags, Register } from "./tape.ts";
import { bytes, flags, OWN_PIPES, REPORT_SOCKET, STREAMS, words } from "./tape.ts";
import { mountTarget, OPEN_HOW_SIZE, openHow } from "./target.ts";

const CONSOLE = "giving the container a terminal";

/** Puts the launcher's pipes, or its own streams, at descriptors 0 to 2. */
export function connectStreams(steps: Steps, io: LaunchIo, owner: number | undefined): void {
  if (io.tty || io.kind === "direct") return;
  // Pipes of our own, so that /dev/stdout can be opened again by the container's user.
  if (owner !== undefined) {
    const why = "giving the container's user its standard streams";
    for (const pipe of OWN_PIPES)
      steps.call("fchown", [pipe, owner, -1], why, { tolerate: ["EBADF", "EINVAL", "EPERM"] });
  }
  STREAMS.forEach((stream, fd) => {
    const why = `connecting standard ${["input", "output", "error"][fd]}`;
    steps.scope(() => {
      if (fd === 0 && !io.interactive) {
        const how = flags("O_CLOEXEC");
        const nothing = steps.keep("openat", [flags("AT_FDCWD"), "/dev/null", how], why);
        steps.call("dup3", [nothing, fd, 0], why);
        return;
      }
      // The stream may be at its place already, which dup3 answers with EINVAL.
      steps.call("dup3", [stream, fd, 0], why, { tolerate: ["EINVAL"] });
    });
  });
}

/**
 * Opens a pty in the container's own devpts, makes it its /dev/console and its standard
 * streams, and sends the master's descriptor to the launcher.
 */
export function makeConsole(
  steps: Steps,
  root: Register,
  process: Process,
  socket: Register = REPORT_SOCKET,
): void {
  steps.scope(() => {
    const { master, terminal } = makeTerminal(steps, root, process);
    const cover = cloneTree(steps, terminal, 'mounting the terminal on "/dev/console"', "mount");
    const target = mountTarget(steps, root, "/dev/console", terminal);
    attach(steps, cover, target, 'mounting the terminal on "/dev/console"');
    takeTerminal(steps, master, terminal, socket);
  });
}

/** The same for a process that has joined a container: its console stays what it is. */
export function openTerminal(
  steps: Steps,
  process: Process,
  socket: Register = REPORT_SOCKET,
): void {
  steps.scope(() => {
    const { master, terminal } = makeTerminal(steps, flags("AT_FDCWD"), process);
    takeTerminal(steps, master, terminal, socket);
  });
}

/**
 * A pty of the container's own devpts, found without a symbolic link. TIOCGPTPEER answers
 * with the other end of this very pty, whatever now has its name, and with nothing for what
 * is no pty.
 */
function makeTerminal(
  steps: Steps,
  root: Register | Flags,
  process: Process,
): { readonly master: Register; readonly terminal: Register } {
  const how = openHow(
    ["O_RDWR", "O_NOCTTY", "O_CLOEXEC"],
    ["RESOLVE_IN_ROOT", "RESOLVE_NO_SYMLINKS"],
  );
  const master = steps.keep("openat2", [root, "dev/pts/ptmx", how, OPEN_HOW_SIZE], CONSOLE, {
    hint: 'the container needs a devpts mounted on "/dev/pts"',
  });
  const unlock = bytes("[0]", new Uint8Array(4));
  steps.call("ioctl", [master, flags("TIOCSPTLCK"), unlock], CONSOLE);
  const peer = flags("O_RDWR", "O_NOCTTY", "O_CLOEXEC");
  const terminal = steps.keep("ioctl", [master, flags("TIOCGPTPEER"), peer], CONSOLE);
  setSize(steps, terminal, process);
  if (process.user.uid !== 0) steps.call("fchown", [terminal, process.user.uid, -1], CONSOLE);
  return { master, terminal };
}

function takeTerminal(steps: Steps, master: Register, terminal: Register, socket: Register): void {
  sendMaster(steps, master, socket);
  for (const fd of [0, 1, 2]) steps.call("dup3", [terminal, fd, 0], CONSOLE);
}

/** Before the program starts, so that it never sees a terminal of 0 columns. */
function setSize(steps: Steps, terminal: Register, process: Process): void {
  const why = "setting the terminal's size";
  const size = bytes("{size}", new Uint8Array(8));
  const write = () =>
    steps.call("ioctl", [terminal, flags("TIOCSWINSZ"), size], why, { tolerate: "any" });
  if (process.consoleSize !== undefined) {
    const { height, width } = process.consoleSize;
    new Uint16Array(size.bytes.buffer).set([height, width]);
    return write();
  }
  const read = (fd: number) => () => steps.call("ioctl", [fd, flags("TIOCGWINSZ"), size], why);
  steps.attempt(read(0), {
    tolerate: "any",
    ok: write,
    otherwise: () => steps.attempt(read(1), { tolerate: "any", ok: write }),
  });
}

/** The socket of a program that wants the terminal's master. @param path of at most 107 bytes */
export function connectConsole(steps: Steps, path: string): Register {
  const why = `connecting to the console socket "${path}"`;
  const address = new Uint8Array(110);
  const name = Buffer.from(path);
  if (name.length > 107)
    throw new TsimgError("ERR_USAGE", `the path "${path}" is too long for a socket`);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  const kind = flags("SOCK_STREAM", "SOCK_CLOEXEC");
  const socket = steps.keep("socket", [flags("AF_UNIX"), kind, 0], why);
  steps.call("connect", [socket, bytes(`{"${path}"}`, address), address.length], why);
  return socket;
}

const AF_UNIX = 1;

/** sendmsg(2) with one descriptor; the packet itself says "no step". */
function sendMaster(steps: Steps, master: Register, socket: Register): void {
  const packet = bytes("{no step}", new Uint8Array(12).fill(0xff, 0, 4));
  const control = new DataView(new ArrayBuffer(24));
  const SOL_SOCKET = 1;
  const SCM_RIGHTS = 1;
  control.setBigUint64(0, 20n, true);
  control.setUint32(8, SOL_SOCKET, true);
  control.setUint32(12, SCM_RIGHTS, true);
  const rights = bytes("{SCM_RIGHTS}", new Uint8Array(control.buffer));
  steps.call("poke", [{ kind: "place", of: rights, offset: 16 }, master], CONSOLE);
  const vector = words("[{no step}]", packet, packet.bytes.length);
  const message = words("{SCM_RIGHTS}", 0, 0, vector, 1, rights, 24, 0);
  steps.call("sendmsg", [socket, message, flags("MSG_NOSIGNAL")], CONSOLE);
}
