import { parseAddress } from "./address.ts";
import type { InterfacePlan } from "./inside-network.ts";
import { macFor } from "./mac-address.ts";
import { vethName } from "./network-names.ts";
import type { MemberRow, NetworkRow } from "./network-row.ts";
import { readSubnet } from "./subnet.ts";

/** A container's network namespace, as `ip` finds it: the launcher leaves it open there. */
export const NAMESPACE_PATH = "/proc/self/fd/100";

/**
 * Makes a network's bridge, or completes one that a killed command left half made.
 *
 * @param exists whether there is an interface of that name
 * @param alias  what it says of itself; see `bridgeAlias`
 */
export function bridgeBatch(
  network: NetworkRow,
  mtu: number,
  exists: boolean,
  alias: string | undefined,
): string {
  const { bridge, subnet, gateway, subnet6, gateway6 } = network;
  const address = parseAddress(gateway);
  // Without one of its own it would change with those of the interfaces that come and go.
  const mac = address === undefined ? "" : ` address ${macFor(address)}`;
  const prefix = readSubnet(subnet)?.prefix ?? 32;
  const prefix6 = readSubnet(subnet6 ?? "")?.prefix ?? 128;
  return [
    ...(exists ? [] : [`link add dev ${bridge} mtu ${mtu}${mac} type bridge`]),
    `address replace ${gateway}/${prefix} broadcast + dev ${bridge}`,
    ...(gateway6 === null ? [] : [`address replace ${gateway6}/${prefix6} dev ${bridge} nodad`]),
    ...(alias === undefined ? [] : [`link set dev ${bridge} alias ${alias}`]),
    `link set dev ${bridge} up`,
    "",
  ].join("\n");
}

/**
 * Makes a container's interface in one request: a pair of which one end is in the bridge, the
 * other in the container.
 *
 * @param namespace path of the container's network namespace
 * @param hairpin   whether the bridge may send a frame back to where it came from: needed for
 *                  a container that reaches itself by a published port, where br_netfilter
 *                  makes the bridge do the address translation
 */
export function vethBatch(
  member: MemberRow,
  network: NetworkRow,
  namespace: string,
  hairpin: boolean,
): string {
  const { container, mac, interface: inside } = member;
  const name = vethName(container, inside);
  const mtu = network.mtu ?? 1500;
  const ours = `link add dev ${name} mtu ${mtu} master ${network.bridge} up type veth`;
  const theirs = `peer name ${inside} mtu ${mtu} address ${mac} netns ${namespace}`;
  const reflect = hairpin ? `link set dev ${name} type bridge_slave hairpin on\n` : "";
  return `${ours} ${theirs}\n${reflect}`;
}

/** What `configureNetwork` does, for a container that runs already. */
export function insideBatch(plan: InterfacePlan): string {
  const { name, address, prefix, address6, prefix6 } = plan;
  const six =
    address6 === undefined
      ? `link set dev ${name} addrgenmode none`
      : `address add ${address6}/${prefix6} dev ${name} nodad`;
  return [
    `address add ${address}/${prefix} broadcast + dev ${name}`,
    six,
    `link set dev ${name} up`,
    routeBatch(plan),
  ].join("\n");
}

/** Default routes by an interface, in place of those that are there. */
export function routeBatch({ name, gateway, gateway6 }: InterfacePlan): string {
  const routes = [gateway, gateway6].filter((address) => address !== undefined);
  return routes.map((address) => `route replace default via ${address} dev ${name}\n`).join("");
}

export function removalBatch(interfaces: readonly string[]): string {
  return interfaces.map((name) => `link delete dev ${name}\n`).join("");
}
