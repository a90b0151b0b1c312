import { programOutcome, programPath } from "../../sys/run-program.ts";
import { isUnspecified, parseAddress } from "./address.ts";
import type { PublishedPort } from "./network-row.ts";

const PROGRAM = "conntrack";

/** Each is one run of the program, 3 ms. */
const MOST_PORTS = 16;

/**
 * Has the kernel forget where packets for UDP ports of the host went until now, so that the
 * next one goes to the container that has the port from here on. Without the program
 * `conntrack` they are forgotten by themselves, two minutes after the last packet.
 */
export function forgetHostFlows(ports: readonly PublishedPort[]): void {
  const udp = ports.filter(isUdp).slice(0, MOST_PORTS);
  for (const { host_address, host_port } of udp) {
    const address = parseAddress(host_address);
    const all = address === undefined || isUnspecified(address);
    const to = all ? [] : ["--orig-dst", host_address];
    forget(host_address, ["--orig-port-dst", String(host_port), ...to]);
  }
}

/** The same of all that was sent on to a container that is gone. */
export function forgetContainerFlows(ports: readonly PublishedPort[]): void {
  for (const target of new Set(ports.filter(isUdp).map(({ target }) => target)))
    forget(target, ["--reply-src", target]);
}

function isUdp({ protocol }: PublishedPort): boolean {
  return protocol === "udp";
}

/** It fails when there is nothing to forget. */
function forget(address: string, which: readonly string[]): void {
  if (programPath(PROGRAM) === undefined) return;
  const family = address.includes(":") ? "ipv6" : "ipv4";
  programOutcome([PROGRAM, "--delete", "--family", family, "--proto", "udp", ...which]);
}
