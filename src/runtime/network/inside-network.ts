import { type Address, addressBytes, parseAddress } from "./address.ts";
import { netmask } from "./subnet.ts";

/** A container's interface with what it is to be given. */
export interface InterfacePlan {
  /** eth0, eth1, … */
  readonly name: string;
  readonly address: string;
  readonly prefix: number;
  /** Of the default route, when it leads through here. */
  readonly gateway: string | undefined;
  readonly address6: string | undefined;
  readonly prefix6: number;
  readonly gateway6: string | undefined;
}

/** Which steps an interface takes: nothing in it is one container's alone. */
export interface InsideShape {
  readonly name: string;
  readonly ipv6: boolean;
  readonly gateway: boolean;
  readonly gateway6: boolean;
}

export interface InsideNetwork {
  /** Absolute, on the host: has what {@link insideMemory} makes. */
  readonly file: string;
  readonly interfaces: readonly InsideShape[];
}

/** sizeof(struct ifreq), struct rtentry, struct in6_rtmsg on 64-bit machines. */
const IFREQ = 40;
const RTENTRY = 120;
const IN6_RTMSG = 80;

/** An IPv6 address and its prefix length: the beginning of a `struct in6_ifreq`. */
export const ADDRESS_BLOCK = 20;
/** Where a `struct ifreq` is put so that its number is where in6_ifreq has it. */
export const INDEX_OFFSET = 4;

const AF_INET = 2;
/** RTF_UP and RTF_GATEWAY. @see linux/route.h */
const ROUTE_FLAGS = 0x3;

export function shapeOf(plan: InterfacePlan): InsideShape {
  return {
    name: plan.name,
    ipv6: plan.address6 !== undefined,
    gateway: plan.gateway !== undefined,
    gateway6: plan.gateway6 !== undefined,
  };
}

export interface Places {
  readonly address: number;
  readonly netmask: number;
  readonly route: number;
  readonly route6: number;
}

/** Where in the first part of the file each structure begins, and how long that part is. */
export function memoryLayout(interfaces: readonly InsideShape[]): {
  readonly size: number;
  readonly interfaces: readonly Places[];
} {
  let size = 0;
  const take = (bytes: number) => {
    size += bytes;
    return size - bytes;
  };
  const places = interfaces.map(({ gateway, gateway6 }) => ({
    address: take(IFREQ),
    netmask: take(IFREQ),
    route: take(gateway ? RTENTRY : 0),
    route6: take(gateway6 ? IN6_RTMSG : 0),
  }));
  return { size, interfaces: places };
}

/**
 * What a launch tape reads to configure the interfaces: the kernel's own structures.
 *
 *     ifreq (address)  ifreq (netmask)  [rtentry]  [in6_rtmsg]     each interface
 *     address and prefix of IPv6, 20 bytes                         each interface that has it
 */
export function insideMemory(plans: readonly InterfacePlan[]): Uint8Array {
  const layout = memoryLayout(plans.map(shapeOf));
  const with6 = plans.filter(({ address6 }) => address6 !== undefined);
  const memory = Buffer.alloc(layout.size + with6.length * ADDRESS_BLOCK);
  for (const [index, plan] of plans.entries()) {
    const places = layout.interfaces[index];
    if (places === undefined) continue;
    const name = Buffer.from(plan.name).subarray(0, 15);
    memory.set(name, places.address);
    writeSocketAddress(memory, places.address + 16, plan.address);
    memory.set(name, places.netmask);
    writeSocketAddress(memory, places.netmask + 16, netmask(plan.prefix));
    if (plan.gateway !== undefined) writeRoute(memory, places.route, plan.gateway);
    if (plan.gateway6 !== undefined) writeRoute6(memory, places.route6, plan.gateway6);
  }
  for (const [index, { address6, prefix6 }] of with6.entries()) {
    const at = layout.size + index * ADDRESS_BLOCK;
    memory.set(bytesOf(address6 ?? ""), at);
    memory.writeUInt32LE(prefix6, at + 16);
  }
  return memory;
}

/** A default route: destination and mask are zero. */
function writeRoute(memory: Buffer, at: number, gateway: string): void {
  memory.writeUInt16LE(AF_INET, at + 8);
  writeSocketAddress(memory, at + 24, gateway);
  memory.writeUInt16LE(AF_INET, at + 40);
  memory.writeUInt16LE(ROUTE_FLAGS, at + 56);
}

function writeRoute6(memory: Buffer, at: number, gateway: string): void {
  memory.set(bytesOf(gateway), at + 32);
  memory.writeUInt32LE(ROUTE_FLAGS, at + 72);
}

/** A `struct sockaddr_in`. */
function writeSocketAddress(memory: Buffer, at: number, address: string | Address): void {
  memory.writeUInt16LE(AF_INET, at);
  memory.set(typeof address === "string" ? bytesOf(address) : addressBytes(address), at + 4);
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  return address === undefined ? new Uint8Array(0) : addressBytes(address);
}
