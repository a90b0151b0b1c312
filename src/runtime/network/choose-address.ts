import { TsimgError } from "../../sys/error.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { isUsable, nextFree } from "./address-pool.ts";
import { macFor } from "./mac-address.ts";
import type { Attachment } from "./network-choice.ts";
import type { MemberRow, NetworkRow } from "./network-row.ts";
import { addressAt, contains, formatSubnet, readSubnet, type Subnet } from "./subnet.ts";

export type ChosenAddress = Pick<MemberRow, "address" | "address6" | "mac">;

/** An address that is asked for belongs to another container, or there is none left. */
export class AddressTaken extends TsimgError {
  /** Who has it; undefined: the subnet is full. */
  readonly container: string | undefined;

  constructor(message: string, hint: string, container: string | undefined) {
    super("ERR_IN_USE", message, { hint });
    this.container = container;
  }
}

/**
 * Finds a container's addresses in a network. The IPv6 one has the same place in its subnet
 * as the IPv4 one, when that is free.
 *
 * @param members of the network
 * @throws AddressTaken; TsimgError ERR_USAGE for an address that the network can't give
 */
export function chooseAddress(
  network: NetworkRow,
  members: readonly MemberRow[],
  wanted: Attachment,
): ChosenAddress {
  const subnet = subnetFor(network, network.subnet);
  const taken = addressesOf([network.gateway, ...members.map(({ address }) => address)]);
  const last = parseAddress(network.last_address ?? "")?.value;
  const address =
    wanted.address === undefined
      ? (nextFree(subnet, taken, last, partOf(network.ip_range)) ??
        full(network, network.ip_range ?? network.subnet))
      : staticAddress(wanted.address, subnet, network, members);
  const mac = wanted.mac ?? macFor(address);
  const sameMac = members.find((member) => member.mac === mac);
  if (sameMac !== undefined) {
    const what = `MAC address ${mac} is in use in network "${network.name}"`;
    throw new AddressTaken(what, "choose another --mac-address", sameMac.container);
  }
  return { address: formatAddress(address), address6: chooseV6(), mac };

  function chooseV6(): string | null {
    if (network.subnet6 === null) {
      if (wanted.address6 === undefined) return null;
      throw new TsimgError("ERR_USAGE", `network "${network.name}" has no IPv6`, {
        hint: "leave out --ip6, or make a network with --ipv6",
      });
    }
    const subnet6 = subnetFor(network, network.subnet6);
    if (wanted.address6 !== undefined)
      return formatAddress(staticAddress(wanted.address6, subnet6, network, members));
    const taken6 = addressesOf([network.gateway6, ...members.map(({ address6 }) => address6)]);
    const alike = addressAt(subnet6, address.value - subnet.base);
    const part6 = partOf(network.ip_range6);
    const fits = isUsable(subnet6, alike) && (part6 === undefined || contains(part6, alike));
    const found =
      fits && !taken6.has(alike.value) ? alike : nextFree(subnet6, taken6, undefined, part6);
    return formatAddress(found ?? full(network, network.ip_range6 ?? network.subnet6));
  }
}

function staticAddress(
  text: string,
  subnet: Subnet,
  network: NetworkRow,
  members: readonly MemberRow[],
): Address {
  const address = parseAddress(text);
  if (address === undefined || !isUsable(subnet, address))
    throw new TsimgError("ERR_USAGE", `address ${text} can't be had in network "${network.name}"`, {
      hint: `its addresses are those of ${formatSubnet(subnet)}, but for the first and the last`,
    });
  const owner = members.find((member) => member.address === text || member.address6 === text);
  const isGateway = text === network.gateway || text === network.gateway6;
  if (!isGateway && owner === undefined) return address;
  const whose = owner === undefined ? "the host" : `container ${owner.container.slice(0, 12)}`;
  throw new AddressTaken(`address ${text} is already in use`, `${whose} has it`, owner?.container);
}

function full(network: NetworkRow, subnet: string): never {
  throw new AddressTaken(
    `no address is left in ${subnet} of network "${network.name}"`,
    "stop a container, or make a network with a larger --subnet",
    undefined,
  );
}

function partOf(range: string | null): Subnet | undefined {
  return range === null ? undefined : readSubnet(range);
}

function subnetFor(network: NetworkRow, text: string): Subnet {
  const subnet = readSubnet(text);
  if (subnet !== undefined) return subnet;
  throw new TsimgError("ERR_STORE", `network "${network.name}" has no subnet "${text}"`);
}

function addressesOf(texts: readonly (string | null)[]): ReadonlySet<bigint> {
  return new Set(texts.flatMap((text) => parseAddress(text ?? "")?.value ?? []));
}
