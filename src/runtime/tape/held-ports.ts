import { addressBytes, parseAddress } from "../network/address.ts";
import type { HeldPort } from "../network/prepare-network.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { bytes, flags } from "./tape.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_SCTP = 132;

/**
 * In the launcher, on the host: binds to the ports that lead into the container, and keeps the
 * sockets as long as it lives. Nothing ever comes to them, since the firewall sends all to the
 * container; but a port that a program of the host has is found out, and one that a container
 * has can't be taken by a program.
 */
export function holdPorts(steps: Steps, ports: readonly HeldPort[]): void {
  for (const port of ports) steps.scope(() => holdPort(steps, port));
}

function holdPort(steps: Steps, { address, port, protocol }: HeldPort): void {
  const isV6 = address.includes(":");
  const place = isV6 ? `[${address}]:${port}` : `${address}:${port}`;
  const why = `failed to bind host port ${place}/${protocol}`;
  const hint = `a program of the host may have it: ss -lnp 'sport = :${port}' shows which`;
  const kind = flags(protocol === "udp" ? "SOCK_DGRAM" : "SOCK_STREAM", "SOCK_CLOEXEC");
  const family = flags(isV6 ? "AF_INET6" : "AF_INET");
  const number = protocol === "sctp" ? IPPROTO_SCTP : 0;
  const socket = steps.keep("socket", [family, kind, number], why);
  // IPv4 has a socket of its own.
  if (isV6) option(steps, socket, ["IPPROTO_IPV6", "IPV6_V6ONLY"], 1, why);
  // Connections that ended a moment ago are no reason to fail.
  if (protocol === "tcp") option(steps, socket, ["SOL_SOCKET", "SO_REUSEADDR"], 1, why);
  const where = socketAddress(address, port);
  steps.call("bind", [socket, bytes(`{${place}}`, where), where.length], why, { hint });
  // From here on nobody else gets it by that same option.
  if (protocol === "tcp") option(steps, socket, ["SOL_SOCKET", "SO_REUSEADDR"], 0, why);
}

function option(
  steps: Steps,
  socket: Register,
  [level, name]: readonly ["SOL_SOCKET", "SO_REUSEADDR"] | readonly ["IPPROTO_IPV6", "IPV6_V6ONLY"],
  value: 0 | 1,
  why: string,
): void {
  const content = bytes(`[${value}]`, Uint8Array.of(value, 0, 0, 0));
  steps.call("setsockopt", [socket, flags(level), flags(name), content, 4], why);
}

/** A `struct sockaddr_in` or `sockaddr_in6`. @see ip(7), ipv6(7) */
function socketAddress(text: string, port: number): Uint8Array {
  const address = parseAddress(text) ?? { family: 4, value: 0n };
  const isV6 = address.family === 6;
  const memory = Buffer.alloc(isV6 ? 28 : 16);
  memory.writeUInt16LE(isV6 ? AF_INET6 : AF_INET, 0);
  memory.writeUInt16BE(port, 2);
  memory.set(addressBytes(address), isV6 ? 8 : 4);
  return memory;
}
