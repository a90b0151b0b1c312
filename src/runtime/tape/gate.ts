import type { Process } from "../../oci/runtime-spec.ts";
import { requireProgram } from "./exec.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { bytes, FIRST_CLOSED_FD, flags, REPORT_SOCKET } from "./tape.ts";

/*
 * A container that is created first and started later waits in front of its program for a
 * byte from a FIFO of the host. Nothing of it is left when the program runs.
 */

const GATE = "waiting to be started";

/** By the launcher. Open for writing too: without a writer reading would not wait. */
export function openGate(steps: Steps, path: string): Register {
  const kind = { ...flags("S_IFIFO"), bits: 0o600 };
  steps.call("mknodat", [flags("AT_FDCWD"), path, kind, 0], `making the FIFO "${path}"`);
  const how = flags("O_RDWR", "O_NOFOLLOW", "O_CLOEXEC");
  return steps.keep("openat", [flags("AT_FDCWD"), path, how], `opening the FIFO "${path}"`);
}

/** Puts it where the descriptors begin that are closed otherwise. */
export function keepGate(steps: Steps, gate: Register): void {
  steps.call("dup3", [gate, FIRST_CLOSED_FD, flags("O_CLOEXEC")], GATE, { tolerate: ["EINVAL"] });
}

/**
 * Says that all is ready by closing the report socket, then waits. What can be known of the
 * program is checked before that, while somebody listens.
 */
export function awaitGate(steps: Steps, process: Process): void {
  requireProgram(steps, process);
  steps.call("close", [REPORT_SOCKET], "telling that the container is created");
  const byte = bytes("{byte}", new Uint8Array(8));
  steps.call("read", [FIRST_CLOSED_FD, byte, 1], GATE);
}
