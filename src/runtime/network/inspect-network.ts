import type { MemberRow, NetworkRow } from "./network-row.ts";
import { endpointId } from "./network-settings.ts";
import { type Predefined, predefinedDriver, predefinedId } from "./predefined-networks.ts";
import { readSubnet } from "./subnet.ts";

/**
 * A network as docker's `network inspect` shows it.
 *
 * @param names of containers, by ID
 */
export function inspectNetwork(
  network: NetworkRow,
  members: readonly MemberRow[],
  names: ReadonlyMap<string, string>,
): object {
  const ranges = [
    { Subnet: network.subnet, ...partOf(network.ip_range), Gateway: network.gateway },
    ...(network.subnet6 === null
      ? []
      : [
          {
            Subnet: network.subnet6,
            ...partOf(network.ip_range6),
            Gateway: network.gateway6 ?? "",
          },
        ]),
  ];
  const options = JSON.parse(network.options) as Readonly<Record<string, string>>;
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.subnet6 !== null,
    IPAM: { Driver: "default", Options: null, Config: ranges },
    Internal: network.internal === 1,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      members.map((member) => [member.container, endpoint(member, network, names)]),
    ),
    Options: {
      "com.docker.network.bridge.name": network.bridge,
      ...(network.mtu === null ? {} : { "com.docker.network.driver.mtu": String(network.mtu) }),
      ...options,
    },
    Labels: JSON.parse(network.labels) as object,
  };
}

function partOf(range: string | null): { readonly IPRange?: string } {
  return range === null ? {} : { IPRange: range };
}

export function inspectPredefined(name: Predefined): object {
  return {
    Name: name,
    Id: predefinedId(name),
    Scope: "local",
    Driver: predefinedDriver(name),
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: null },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}

function endpoint(
  member: MemberRow,
  network: NetworkRow,
  names: ReadonlyMap<string, string>,
): object {
  const at = (address: string | null, subnet: string | null) =>
    address === null ? "" : `${address}/${readSubnet(subnet ?? "")?.prefix ?? 0}`;
  return {
    Name: names.get(member.container) ?? "",
    EndpointID: endpointId(member, network),
    MacAddress: member.mac,
    IPv4Address: at(member.address, network.subnet),
    IPv6Address: at(member.address6, network.subnet6),
  };
}
