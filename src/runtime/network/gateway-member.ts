import type { MemberRow, NetworkRow } from "./network-row.ts";

/**
 * The interface by which a container reaches the world, and is reached by published ports:
 * the first in a network that leads somewhere.
 *
 * @param members of one container, eth0 first
 */
export function gatewayMember(
  members: readonly MemberRow[],
  networks: readonly NetworkRow[],
): MemberRow | undefined {
  return members.find(({ network }) => isOpen(network, networks));
}

/** The same for IPv6, which not every network has. */
export function gatewayMember6(
  members: readonly MemberRow[],
  networks: readonly NetworkRow[],
): MemberRow | undefined {
  return members.find(({ network, address6 }) => address6 !== null && isOpen(network, networks));
}

function isOpen(name: string, networks: readonly NetworkRow[]): boolean {
  return networks.some((network) => network.name === name && network.internal === 0);
}
