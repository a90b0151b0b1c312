import type { Database } from "../../store/database.ts";
import { gatewayMember, gatewayMember6 } from "./gateway-member.ts";
import type { NetworkChoice } from "./network-choice.ts";
import type { MemberRow, NetworkRow, PublishedPort } from "./network-row.ts";
import { parsePortList } from "./port-list.ts";
import { distinctPorts } from "./port-request.ts";
import { isPredefined, predefinedId } from "./predefined-networks.ts";
import { networkOf } from "./prepare-network.ts";
import { readSubnet } from "./subnet.ts";

/** Every published port of a store, by container: one query for a whole `ps`. */
export function publishedPorts(database: Database): ReadonlyMap<string, PublishedPort[]> {
  const sql = "select * from published_ports order by host_port, host_address";
  return Map.groupBy(database.all<PublishedPort>(sql), ({ container }) => container);
}

export interface SettingsInput {
  /** Of one container, eth0 first. */
  readonly members: readonly MemberRow[];
  /** The networks that it is in when it runs, `none` and `host` among them. */
  readonly asked: readonly string[];
  readonly networks: readonly NetworkRow[];
  readonly ports: readonly PublishedPort[];
  /** By its image and its flags, as `80/tcp`. */
  readonly exposed: readonly string[];
  /** `/proc/PID/ns/net` of a running container, else empty. */
  readonly sandbox: string;
}

/** `NetworkSettings` of docker's inspect. A container that doesn't run has no addresses. */
export function networkSettings(input: SettingsInput): object {
  const { members, asked, networks, sandbox } = input;
  const main = gatewayMember(members, networks) ?? members[0];
  const six = gatewayMember6(members, networks) ?? main;
  const idle = asked.map((name) => [name, idleEndpoint(name, networks)] as const);
  const settings = members.map((member) => [member.network, endpoint(member, networks)] as const);
  return {
    SandboxKey: sandbox,
    Ports: portBindings(input.ports, input.exposed),
    ...addressing(main, six, networks),
    // A running one may have left some of them.
    Networks: Object.fromEntries(members.length === 0 ? idle : settings),
  };
}

/** Docker's map: `80/tcp` to the places where it is published, null for none. */
export function portBindings(
  ports: readonly PublishedPort[],
  exposed: readonly string[],
): Readonly<Record<string, readonly object[] | null>> {
  const open = distinctPorts(parsePortList(exposed)).map((it) => `${it.port}/${it.protocol}`);
  const bound = Map.groupBy(ports, (port) => `${port.container_port}/${port.protocol}`);
  return {
    ...Object.fromEntries(open.map((name) => [name, null])),
    ...Object.fromEntries(
      [...bound].map(([name, rows]) => [
        name,
        rows.map((row) => ({ HostIp: row.host_address, HostPort: String(row.host_port) })),
      ]),
    ),
  };
}

/** `HostConfig.NetworkMode` of docker's inspect. */
export function networkMode(choice: NetworkChoice): string {
  if (choice.kind === "container") return `container:${choice.container}`;
  if (choice.kind === "path") return `ns:${choice.path}`;
  if (choice.kind === "user") return choice.program;
  return choice.kind === "networks" ? (choice.attachments[0]?.network ?? "none") : choice.kind;
}

function endpoint(member: MemberRow, networks: readonly NetworkRow[]): object {
  const network = networkOf(member, networks);
  const aliases = JSON.parse(member.aliases) as readonly string[];
  const short = member.container.slice(0, 12);
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: aliases,
    NetworkID: network.id,
    EndpointID: endpointId(member, network),
    DriverOpts: null,
    DNSNames: [...new Set([...aliases, short, member.hostname].filter((name) => name !== ""))],
    ...addressing(member, member, networks),
  };
}

/** Of a network without addresses. */
function idleEndpoint(name: string, networks: readonly NetworkRow[]): object {
  const known = networks.find((network) => network.name === name);
  const id = isPredefined(name) ? predefinedId(name) : (known?.id ?? "");
  return {
    ...{ IPAMConfig: null, Links: null, Aliases: null, NetworkID: id, DriverOpts: null },
    DNSNames: null,
    ...addressing(undefined, undefined, networks),
  };
}

/** Docker gives every endpoint an ID of its own; ours is told by whose it is and where. */
export function endpointId(member: MemberRow, network: NetworkRow): string {
  return network.id.slice(0, 32) + member.container.slice(0, 32);
}

function addressing(
  four: MemberRow | undefined,
  six: MemberRow | undefined,
  networks: readonly NetworkRow[],
): object {
  const network = four === undefined ? undefined : networkOf(four, networks);
  const network6 = six === undefined ? undefined : networkOf(six, networks);
  return {
    EndpointID: four === undefined || network === undefined ? "" : endpointId(four, network),
    MacAddress: four?.mac ?? "",
    IPAddress: four?.address ?? "",
    IPPrefixLen: readSubnet(network?.subnet ?? "")?.prefix ?? 0,
    Gateway: network?.internal === 0 ? network.gateway : "",
    GlobalIPv6Address: six?.address6 ?? "",
    GlobalIPv6PrefixLen: readSubnet(network6?.subnet6 ?? "")?.prefix ?? 0,
    IPv6Gateway: network6?.internal === 0 ? (network6.gateway6 ?? "") : "",
  };
}
