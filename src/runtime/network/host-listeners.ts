import { existsSync, readFileSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { type Address, isUnspecified, parseAddress } from "./address.ts";
import type { Protocol } from "./port-request.ts";

/** A port that a program of the host has taken. */
export interface Listener {
  readonly address: Address;
  readonly port: number;
}

/** State of a socket that waits for connections, and of a UDP socket that has no peer. */
const TAKEN_STATE = { tcp: "0A", udp: "07" } as const;

const SCTP_ENDPOINTS = "/proc/net/sctp/eps";

/** Whether the kernel has SCTP: a module, loaded when somebody first uses it. */
export function hasSctp(): boolean {
  return existsSync(SCTP_ENDPOINTS);
}

/** What programs of the host listen on, read when a protocol is first asked for. */
export class HostListeners {
  private readonly byProtocol = new Map<Protocol, ReadonlyMap<number, readonly Listener[]>>();

  /** Whether a program could not bind to this address and port any more. */
  has(address: Address, port: number, protocol: Protocol): boolean {
    let byPort = this.byProtocol.get(protocol);
    if (byPort === undefined) {
      byPort = Map.groupBy(readAll(protocol), (listener) => listener.port);
      this.byProtocol.set(protocol, byPort);
    }
    return (byPort.get(port) ?? []).some((listener) => collide(listener.address, address));
  }
}

/** An IPv6 socket on all addresses takes the port of IPv4 too, unless it was told not to. */
function collide(taken: Address, wanted: Address): boolean {
  if (taken.family !== wanted.family) return taken.family === 6 && isUnspecified(taken);
  return isUnspecified(taken) || isUnspecified(wanted) || taken.value === wanted.value;
}

function readAll(protocol: Protocol): readonly Listener[] {
  if (protocol === "sctp") return readSctp(read(SCTP_ENDPOINTS));
  const state = TAKEN_STATE[protocol];
  return ["", "6"].flatMap((family) => readSockets(read(`/proc/net/${protocol}${family}`), state));
}

/** Lines such as `0: 0100007F:1F90 00000000:0000 0A …`. @see proc_net(5) */
export function readSockets(text: string, state: string): readonly Listener[] {
  const line = new RegExp(`^ *\\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F:]+ ${state} `, "gm");
  return [...text.matchAll(line)].map(([, address = "", port = ""]) => ({
    address: { family: address.length === 8 ? 4 : 6, value: fromKernelOrder(address) },
    port: Number.parseInt(port, 16),
  }));
}

/** The columns end with the port and the endpoint's addresses. */
function readSctp(text: string): readonly Listener[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const columns = line.trim().split(/\s+/);
      const port = Number(columns[5]);
      const addresses = columns.slice(8).flatMap((word) => parseAddress(word) ?? []);
      return addresses.map((address) => ({ address, port }));
    });
}

/** Groups of 32 bits, each in the byte order of the machine: little-endian on all of ours. */
function fromKernelOrder(digits: string): bigint {
  const swap = (group: string) => (group.match(/../g) ?? []).toReversed().join("");
  return BigInt(`0x${(digits.match(/.{8}/g) ?? []).map(swap).join("")}`);
}

function read(path: string): string {
  return tolerating(["ENOENT"], () => readFileSync(path, "latin1")) ?? "";
}
