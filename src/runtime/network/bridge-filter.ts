import { readFileSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";

/**
 * Whether bridges show their packets to the firewall (br_netfilter), as docker and Kubernetes
 * have it.
 */
export function bridgesFilter(): boolean {
  const file = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  return tolerating(["ENOENT"], () => readFileSync(file, "latin1"))?.trim() === "1";
}
