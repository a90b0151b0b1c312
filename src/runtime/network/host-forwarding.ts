import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import type { NetworkRow } from "./network-row.ts";

const IPV4 = "/proc/sys/net/ipv4";
const IPV6 = "/proc/sys/net/ipv6/conf";

/**
 * Lets the host pass packets between a network and the world, where it doesn't yet. Once on,
 * forwarding stays: others may have come to rely on it.
 */
export function forwardFor(network: NetworkRow): void {
  ignoreRouters(network.bridge);
  // Answers to a connection that began on the host's loopback come back to it by the bridge.
  set(join(IPV4, "conf", network.bridge, "route_localnet"), "1");
  if (network.internal === 1) return;
  set(join(IPV4, "ip_forward"), "1");
  if (network.subnet6 !== null && network.subnet6 !== undefined) forwardIpv6();
}

/**
 * Nobody in a network of containers is the host's router: one that may send raw packets could
 * announce itself as one and get the host's own traffic (CVE-2020-13401).
 */
function ignoreRouters(bridge: string): void {
  const file = join(IPV6, bridge, "accept_ra");
  if (value(file) !== undefined) set(file, "0");
}

/**
 * A host that forwards IPv6 is a router, and routers don't listen to the announcements of
 * others unless told: a host that got its default route so would lose it.
 */
function forwardIpv6(): void {
  const all = join(IPV6, "all", "forwarding");
  if (value(all) === "1") return;
  for (const name of tolerating(["ENOENT"], () => readdirSync(IPV6)) ?? []) {
    const file = join(IPV6, name, "accept_ra");
    if (value(file) === "1") set(file, "2");
  }
  set(all, "1");
}

function set(file: string, wanted: string): void {
  if (value(file) === wanted) return;
  try {
    writeFileSync(file, wanted);
  } catch (cause) {
    throw new TsimgError("ERR_NETWORK", `can't write ${wanted} to "${file}"`, {
      cause,
      hint: "containers on a bridge need it: make /proc/sys writable, or use --network host",
    });
  }
}

function value(file: string): string | undefined {
  return tolerating(["ENOENT"], () => readFileSync(file, "latin1"))?.trim();
}
