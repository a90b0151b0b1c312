import type { Steps } from "./steps.ts";
import { bytes, flags, REPORT_SOCKET } from "./tape.ts";

/*
 * The child waits for what the launcher does beside it by reading a byte from the socket on
 * which it reports. Each wait has one byte, in order.
 */

/** In the child: goes on once the launcher has come to `release`. */
export function awaitLauncher(steps: Steps, what: string): void {
  const byte = bytes("{byte}", new Uint8Array(8));
  steps.call("recvfrom", [REPORT_SOCKET, byte, 1, 0, 0, 0], `waiting for ${what}`);
}

/** In the launcher, beside the child. */
export function release(steps: Steps, what: string): void {
  const byte = bytes("{byte}", new Uint8Array(8));
  const args = [REPORT_SOCKET, byte, 1, flags("MSG_NOSIGNAL"), 0, 0];
  // A child that has ended says itself why.
  steps.call("sendto", args, `telling the container of ${what}`, {
    tolerate: ["EPIPE", "ECONNRESET"],
  });
}

/** In the child: lets the launcher go on from `awaitChild`. */
export function announce(steps: Steps, why: string): void {
  const packet = new Uint8Array(12);
  new DataView(packet.buffer).setInt32(0, -2, true);
  const said = bytes("{come so far}", packet);
  steps.call("sendto", [REPORT_SOCKET, said, packet.length, flags("MSG_NOSIGNAL"), 0, 0], why);
}

/** In the launcher, beside the child; what the child has failed with is the message then. */
export function awaitChild(steps: Steps, why: string): void {
  steps.call("awaitChild", [], why);
}
