import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { parseAddress } from "./address.ts";
import { type Subnet, subnetOf } from "./subnet.ts";

/*
 * /proc/net and /proc/sys/net show the network namespace of whoever reads, /sys/class/net
 * that of whoever mounted it: so nothing here looks into /sys.
 */

/** What a link that carries no more than Ethernet does takes, in bytes. */
const ETHERNET_MTU = 1500;

/** Names the network namespace that this process is in, among those of this boot. */
export function ownNamespace(): string {
  return readlinkSync("/proc/self/ns/net");
}

export function interfaceExists(name: string): boolean {
  return existsSync(`/proc/sys/net/ipv4/conf/${name}`);
}

/**
 * Every range of addresses that the host has a route to in any table, or an address in. The
 * default route and the loopback's own are left out.
 */
export function hostSubnets(): readonly Subnet[] {
  return [...readTrie(read("/proc/net/fib_trie")), ...readRoutes6(read("/proc/net/ipv6_route"))];
}

/** Of the interface that leads outside, at most Ethernet's; in bytes. */
export function uplinkMtu(): number {
  const routes = read("/proc/net/route").split("\n").slice(1);
  const uplink = routes.map((line) => line.split("\t")).find(([, to]) => to === "00000000");
  const text = uplink === undefined ? "" : read(`/proc/sys/net/ipv6/conf/${uplink[0]}/mtu`);
  const mtu = Number.parseInt(text, 10);
  return mtu >= 68 && mtu < ETHERNET_MTU ? mtu : ETHERNET_MTU;
}

/**
 * The leaves of the kernel's routing trie: an address, then its prefixes on lines of their own.
 *
 *     |-- 192.0.2.0
 *        /24 link UNICAST
 */
export function readTrie(text: string): readonly Subnet[] {
  const found: Subnet[] = [];
  let leaf = "";
  for (const line of text.split("\n")) {
    const [, address, prefix] = /^\s*(?:\|-- (\S+)|\/(\d+) \S+ (?:UNICAST|LOCAL))/.exec(line) ?? [];
    if (address !== undefined) leaf = address;
    const parsed = prefix === undefined ? undefined : parseAddress(leaf);
    if (parsed === undefined || Number(prefix) === 0 || leaf.startsWith("127.")) continue;
    found.push(subnetOf(parsed, Number(prefix)));
  }
  return found;
}

/** Lines of `destination prefix …`, all in hexadecimal. */
export function readRoutes6(text: string): readonly Subnet[] {
  return text.split("\n").flatMap((line) => {
    const [, digits, prefix] = /^([0-9a-f]{32}) ([0-9a-f]{2}) /.exec(line) ?? [];
    if (digits === undefined || prefix === undefined || prefix === "00") return [];
    return [subnetOf({ family: 6, value: BigInt(`0x${digits}`) }, Number.parseInt(prefix, 16))];
  });
}

function read(path: string): string {
  return tolerating(["ENOENT"], () => readFileSync(path, "latin1")) ?? "";
}
