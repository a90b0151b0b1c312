import { readFileSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";

/** Bytes over a container's interfaces, the loopback left out. */
export interface NetworkUsage {
  readonly received: number;
  readonly sent: number;
}

/** What went over the interfaces of the network namespace that the process is in. */
export function readNetworkUsage(pid: number): NetworkUsage {
  const path = `/proc/${pid}/net/dev`;
  return parseNetDev(tolerating(["ENOENT", "EINVAL"], () => readFileSync(path, "latin1")) ?? "");
}

/** @see proc_pid_net(5): eight numbers of what came in, then eight of what went out. */
export function parseNetDev(text: string): NetworkUsage {
  let received = 0;
  let sent = 0;
  for (const line of text.split("\n")) {
    const [, name, numbers = ""] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || name === "lo") continue;
    const fields = numbers.split(/\s+/).map(Number);
    received += fields[0] ?? 0;
    sent += fields[8] ?? 0;
  }
  return { received, sent };
}
