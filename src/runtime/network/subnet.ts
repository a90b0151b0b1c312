import { TsimgError } from "../../sys/error.ts";
import { type Address, addressBits, type Family, formatAddress, parseAddress } from "./address.ts";

/** A range of addresses with a common beginning. */
export interface Subnet {
  readonly family: Family;
  /** Its first address. */
  readonly base: bigint;
  /** Length of the common beginning, in bits. */
  readonly prefix: number;
}

/**
 * Reads `10.66.0.0/16`. Bits behind the prefix are dropped, as docker does.
 *
 * @returns undefined when it is none
 */
export function readSubnet(text: string): Subnet | undefined {
  const [, address = "", digits = ""] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  const prefix = Number(digits);
  if (parsed === undefined || prefix > addressBits(parsed.family)) return undefined;
  return subnetOf(parsed, prefix);
}

/**
 * As {@link readSubnet}, for what a user gave.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseSubnet(text: string, flag: string): Subnet {
  const subnet = readSubnet(text);
  if (subnet !== undefined) return subnet;
  throw new TsimgError("ERR_USAGE", `invalid subnet "${text.slice(0, 64)}" in ${flag}`, {
    hint: "write address/prefix, as in 10.20.0.0/16 or fd12:3456::/64",
  });
}

export function subnetOf({ family, value }: Address, prefix: number): Subnet {
  const rest = BigInt(addressBits(family) - prefix);
  return { family, base: (value >> rest) << rest, prefix };
}

export function formatSubnet({ family, base, prefix }: Subnet): string {
  return `${formatAddress({ family, value: base })}/${prefix}`;
}

/** How many addresses it has. */
export function subnetSize({ family, prefix }: Subnet): bigint {
  return 1n << BigInt(addressBits(family) - prefix);
}

export function contains(subnet: Subnet, address: Address): boolean {
  if (subnet.family !== address.family) return false;
  return address.value >= subnet.base && address.value < subnet.base + subnetSize(subnet);
}

export function overlaps(one: Subnet, other: Subnet): boolean {
  if (one.family !== other.family) return false;
  return one.base < other.base + subnetSize(other) && other.base < one.base + subnetSize(one);
}

/** The `offset`th address, the first being 0. */
export function addressAt({ family, base }: Subnet, offset: bigint): Address {
  return { family, value: base + offset };
}

/** `255.255.0.0` for a prefix of 16. */
export function netmask(prefix: number): Address {
  const all = (1n << 32n) - 1n;
  return { family: 4, value: all ^ (all >> BigInt(prefix)) };
}
