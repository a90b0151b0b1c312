import { TsimgError } from "../../sys/error.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { isUsable } from "./address-pool.ts";
import { MOST_INTERFACE_NAME } from "./network-names.ts";
import { addressAt, contains, formatSubnet, overlaps, parseSubnet, type Subnet } from "./subnet.ts";

/** What a user asks of a new network. */
export interface NetworkOptions {
  readonly name: string;
  /** At most one of each family. */
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  /** Parts of the subnets that addresses are taken from which nobody asks for. */
  readonly ranges: readonly string[];
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Docker's names, `com.docker.network.…`, or the short ones behind it. */
  readonly options: Readonly<Record<string, string>>;
}

/** A subnet with the address that the host's bridge has in it. */
export interface Range {
  readonly subnet: Subnet;
  readonly gateway: Address;
  /** Where addresses are taken from, unless it is the whole subnet. */
  readonly part?: Subnet;
}

/** An interface, a bridge or a namespace could be asked for by that name. */
const RESERVED = ["host", "none", "default", "container", "ns", "name"];

/** @throws TsimgError ERR_USAGE */
export function checkNetworkName(name: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name))
    throw new TsimgError("ERR_USAGE", `invalid network name "${name.slice(0, 64)}"`, {
      hint: "use letters, digits, and _ . - inside",
    });
  if (RESERVED.includes(name))
    throw new TsimgError("ERR_USAGE", `network name "${name}" is reserved`, {
      hint: "choose another one",
    });
  return name;
}

/**
 * The ranges that `--subnet`, `--gateway` and `--ip-range` name.
 *
 * @throws TsimgError ERR_USAGE
 */
export function chosenRanges(options: NetworkOptions): { v4?: Range; v6?: Range } {
  const subnets = options.subnets.map((text) => parseSubnet(text, "--subnet"));
  const gateways = options.gateways.map(parseGateway);
  const lost = gateways.find((gateway) => !subnets.some((subnet) => contains(subnet, gateway)));
  if (lost !== undefined)
    throw new TsimgError("ERR_USAGE", `gateway ${formatAddress(lost)} is in no --subnet`, {
      hint: "give the --subnet that it belongs to",
    });
  const parts = options.ranges.map((text) => parseSubnet(text, "--ip-range"));
  const astray = parts.find((part) => !subnets.some((subnet) => overlaps(subnet, part)));
  if (astray !== undefined)
    throw new TsimgError("ERR_USAGE", `--ip-range ${formatSubnet(astray)} is in no --subnet`, {
      hint: "give the --subnet that it belongs to",
    });
  const v4 = rangeOf(4, subnets, gateways, parts);
  const v6 = rangeOf(6, subnets, gateways, parts);
  return { ...(v4 !== undefined && { v4 }), ...(v6 !== undefined && { v6 }) };
}

/** A subnet whose bridge has its first address. */
export function withFirstAsGateway(subnet: Subnet): Range {
  return { subnet, gateway: addressAt(subnet, 1n) };
}

/**
 * What `--opt` may say.
 *
 * @throws TsimgError ERR_USAGE
 */
export function bridgeOptions(options: Readonly<Record<string, string>>): {
  readonly bridge?: string;
  readonly mtu?: number;
} {
  const found: { bridge?: string; mtu?: number } = {};
  for (const [key, value] of Object.entries(options)) {
    const short = key.replace(/^com\.docker\.network\./, "");
    if (short === "bridge.name") found.bridge = checkBridgeName(value);
    else if (short === "driver.mtu" || short === "mtu") found.mtu = parseMtu(value);
    else
      throw new TsimgError("ERR_USAGE", `unknown option "${key.slice(0, 64)}" of a network`, {
        hint: "there are com.docker.network.bridge.name and mtu",
      });
  }
  return found;
}

function rangeOf(
  family: 4 | 6,
  subnets: readonly Subnet[],
  gateways: readonly Address[],
  parts: readonly Subnet[],
): Range | undefined {
  const [subnet, second] = subnets.filter((each) => each.family === family);
  if (subnet === undefined) return undefined;
  if (second !== undefined)
    throw new TsimgError("ERR_USAGE", `a network has one IPv${family} subnet, not two`);
  const room = family === 4 ? 30 : 126;
  if (subnet.prefix > room || subnet.prefix < 8)
    throw new TsimgError("ERR_USAGE", `a subnet of /${subnet.prefix} can't be a network`, {
      hint: `prefixes from /8 to /${room} can`,
    });
  const [gateway, other] = gateways.filter((each) => contains(subnet, each));
  if (other !== undefined) throw new TsimgError("ERR_USAGE", "a subnet has one gateway, not two");
  if (gateway !== undefined && !isUsable(subnet, gateway))
    throw new TsimgError("ERR_USAGE", `${formatAddress(gateway)} can't be a gateway`, {
      hint: "the first and the last address of a subnet are special",
    });
  const chosen = gateway === undefined ? withFirstAsGateway(subnet) : { subnet, gateway };
  const [part, more] = parts.filter((each) => each.family === family);
  if (more !== undefined) throw new TsimgError("ERR_USAGE", "a subnet has one --ip-range, not two");
  // As with docker, one that is wider changes nothing.
  return part === undefined || part.prefix <= subnet.prefix ? chosen : { ...chosen, part };
}

function parseGateway(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new TsimgError("ERR_USAGE", `invalid address "${text.slice(0, 64)}" in --gateway`);
}

function checkBridgeName(name: string): string {
  const good = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) && name.length <= MOST_INTERFACE_NAME;
  if (good && name !== "all" && name !== "default") return name;
  throw new TsimgError("ERR_USAGE", `invalid bridge name "${name.slice(0, 64)}"`, {
    hint: `use up to ${MOST_INTERFACE_NAME} letters, digits, and _ . - inside`,
  });
}

/** IPv6 needs 1280 bytes; the kernel takes no more than 65535 for a veth. */
function parseMtu(text: string): number {
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (mtu >= 68 && mtu <= 65_535) return mtu;
  throw new TsimgError("ERR_USAGE", `invalid MTU "${text.slice(0, 64)}"`, {
    hint: "write a number of bytes from 68 to 65535, as in 1400",
  });
}
