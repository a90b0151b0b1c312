import type { Address } from "./address.ts";
import { addressAt, contains, type Subnet, subnetSize } from "./subnet.ts";

/**
 * The first free address after `last`, the one handed out most recently, beginning again at
 * the subnet's start. So an address that was just freed rests while there are others: what
 * still looks for the old container there finds nobody, not a stranger.
 *
 * Never the subnet's first address (its name), nor the last of an IPv4 subnet (broadcast).
 *
 * @param taken by containers, and the gateway
 * @param part of the subnet to stay in
 * @returns undefined when none is left
 */
export function nextFree(
  subnet: Subnet,
  taken: ReadonlySet<bigint>,
  last: bigint | undefined,
  part: Subnet = subnet,
): Address | undefined {
  const begin = part.base - subnet.base;
  const first = begin < 1n ? 1n : begin;
  const end = begin + subnetSize(part) - 1n;
  const most = usable(subnet);
  const count = (end < most ? end : most) - first + 1n;
  if (count <= 0n) return undefined;
  const lastOffset = last === undefined ? 0n : last - subnet.base;
  const start = lastOffset >= first && lastOffset < first + count ? lastOffset : first - 1n;
  // Of any row of addresses longer than what is taken, one is free.
  const enough = BigInt(taken.size) + 1n;
  const tries = enough < count ? enough : count;
  for (let step = 0n; step < tries; step++) {
    const offset = ((start + step + 1n - first) % count) + first;
    if (!taken.has(subnet.base + offset)) return addressAt(subnet, offset);
  }
  return undefined;
}

/** Whether a container may have it: inside, and not one of the two special ones. */
export function isUsable(subnet: Subnet, address: Address): boolean {
  const offset = address.value - subnet.base;
  return contains(subnet, address) && offset >= 1n && offset <= usable(subnet);
}

function usable(subnet: Subnet): bigint {
  return subnetSize(subnet) - (subnet.family === 4 ? 2n : 1n);
}
