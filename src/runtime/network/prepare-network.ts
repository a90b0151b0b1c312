import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import { bridgesFilter } from "./bridge-filter.ts";
import { heldPorts } from "./choose-ports.ts";
import { type Claim, type Claimed, claimNetwork } from "./claim.ts";
import { ensureNetworks } from "./ensure-networks.ts";
import { forgetHostFlows } from "./flush-flows.ts";
import { gatewayMember, gatewayMember6 } from "./gateway-member.ts";
import { hasSctp } from "./host-listeners.ts";
import { type InsideNetwork, type InterfacePlan, insideMemory, shapeOf } from "./inside-network.ts";
import { NAMESPACE_PATH, vethBatch } from "./ip-batch.ts";
import type { NetworkContext } from "./network-context.ts";
import { writeNetworkFiles } from "./network-files.ts";
import { networkNames } from "./network-names.ts";
import type { NetworkRequest } from "./network-request.ts";
import type { MemberRow, NetworkRow } from "./network-row.ts";
import { NetworkStore } from "./network-store.ts";
import { portsAddition, portsRemoval } from "./nft-elements.ts";
import { distinctPorts, type PortRequest, type Protocol, parseExposed } from "./port-request.ts";
import { reclaimNetwork } from "./reclaim-network.ts";
import { readSubnet } from "./subnet.ts";
import { type UserNetworkLaunch, userNetworkLaunch, withUserDns } from "./user-network.ts";

/** A port of the host for the launcher to bind to. */
export interface HeldPort {
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
}

export interface StartingContainer {
  /** 64 hex digits. Its row is in the database, its state directory is there. */
  readonly id: string;
  /** As the kernel will have it, without a domain. */
  readonly hostname: string;
  /** What its image exposes, as `80/tcp`. */
  readonly exposed: readonly string[];
}

/** What the launcher does for a container's network; paths are absolute. */
export interface PreparedNetwork {
  /** Input of `ip -batch`, to be run with the new namespace as descriptor 100. */
  readonly ipBatch?: string;
  /** Input of `nft -f` after that. */
  readonly publish?: string;
  /** Input of `nft -f` when the container has ended. */
  readonly unpublish?: string;
  /** For `configureNetwork`, in the container's first process. */
  readonly inside?: InsideNetwork;
  /** For `holdPorts`, in the launcher before the clone. */
  readonly hold: readonly HeldPort[];
  /** In place of all that: a program of the user's. */
  readonly user?: UserNetworkLaunch;
  /** To be told to the user. */
  readonly warnings: readonly string[];
}

/**
 * Makes a container's network ready to be launched: picks addresses and ports, brings up
 * bridges and the firewall where they aren't, writes what the launcher needs into the state
 * directory, /etc/hosts and the like among it (see `networkFileMounts`).
 *
 * @throws TsimgError ERR_NO_SUCH_NETWORK, ERR_IN_USE, ERR_PORT_IN_USE, ERR_NETWORK, ERR_USAGE;
 *         `reclaimNetwork` then cleans up, as after any crash
 */
export function prepareNetwork(
  context: NetworkContext,
  container: StartingContainer,
  request: NetworkRequest,
): PreparedNetwork {
  const { choice } = request;
  const directory = context.stateDirectory(container.id);
  // What a start before this one left.
  reclaimNetwork(context, container.id);
  if (choice.kind === "user") {
    const files = withUserDns(request, choice.program);
    writeNetworkFiles(directory, container.hostname, files, []);
    const user = userNetworkLaunch(choice.program, request.publish, directory);
    return { user, hold: [], warnings: [] };
  }
  if (choice.kind !== "networks") {
    if (choice.kind !== "container") writeNetworkFiles(directory, container.hostname, request, []);
    const unused = request.publish.length > 0 || request.publishAll;
    const warning = `published ports are discarded when using ${choice.kind} network mode`;
    return { hold: [], warnings: unused ? [warning] : [] };
  }
  const store = new NetworkStore(context);
  const attachments = choice.attachments.map((attachment, index) => ({
    ...attachment,
    network: store.existing(attachment.network).name,
    interface: `eth${index}`,
  }));
  const names = attachments.map(({ network }) => network);
  refuseTwice(names);
  const networks = ensureNetworks(context, store, names);
  writeNetworkFiles(directory, container.hostname, request, networks);
  const claimed = claimNetwork(context, store, {
    container: container.id,
    hostname: fullName(container.hostname, request.domainname),
    attachments,
    publish: portsToPublish(request, container.exposed),
  });
  forgetHostFlows(claimed.ports);
  return writeLaunchFiles(context, directory, claimed, networks, request);
}

function writeLaunchFiles(
  context: NetworkContext,
  directory: string,
  { members, ports }: Claimed,
  networks: readonly NetworkRow[],
  request: NetworkRequest,
): PreparedNetwork {
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const { table } = networkNames(context.root);
  const hairpin = ports.length > 0 && bridgesFilter();
  const batch = members.map((member) => {
    const network = networkOf(member, networks);
    return vethBatch(member, network, NAMESPACE_PATH, hairpin);
  });
  const plans = interfacePlans(members, networks);
  const wanted = request.publish.length > 0 || request.publishAll;
  const lost = wanted && gatewayMember(members, networks) === undefined;
  return {
    ipBatch: write("network.ip", batch.join("")),
    ...(ports.length > 0 && {
      publish: write("publish.nft", portsAddition(table, ports)),
      unpublish: write("unpublish.nft", portsRemoval(table, ports)),
    }),
    inside: { file: write("network.bin", insideMemory(plans)), interfaces: plans.map(shapeOf) },
    hold: heldPorts(ports, hasSctp()).map(({ host_address, host_port, protocol }) => ({
      address: host_address,
      port: host_port,
      protocol,
    })),
    warnings: lost ? ["published ports are discarded: the network is internal"] : [],
  };
}

/** What each interface of a container is given; default routes lead through the first that can. */
export function interfacePlans(
  members: readonly MemberRow[],
  networks: readonly NetworkRow[],
): readonly InterfacePlan[] {
  const route = gatewayMember(members, networks);
  const route6 = gatewayMember6(members, networks);
  return members.map((member) => {
    const network = networkOf(member, networks);
    return {
      name: member.interface,
      address: member.address,
      prefix: readSubnet(network.subnet)?.prefix ?? 32,
      gateway: member === route ? network.gateway : undefined,
      address6: member.address6 ?? undefined,
      prefix6: readSubnet(network.subnet6 ?? "")?.prefix ?? 128,
      gateway6: member === route6 ? (network.gateway6 ?? undefined) : undefined,
    };
  });
}

export function networkOf(member: MemberRow, networks: readonly NetworkRow[]): NetworkRow {
  const network = networks.find(({ name }) => name === member.network);
  if (network !== undefined) return network;
  throw new TsimgError("ERR_NO_SUCH_NETWORK", `network "${member.network}" is gone`);
}

/** Those of the flags, and with -P a free port of the host for each other one exposed. */
function portsToPublish(request: NetworkRequest, image: readonly string[]): Claim["publish"] {
  const { publish, publishAll, exposed } = request;
  if (!publishAll) return publish;
  const all = distinctPorts([...image.flatMap(parseExposed), ...exposed]);
  const others = all.filter(
    ({ port, protocol }) =>
      !publish.some((given) => given.port === port && given.protocol === protocol),
  );
  const anywhere = { hostAddress: "", hostPorts: undefined };
  return [...publish, ...others.map((port): PortRequest => ({ ...port, ...anywhere }))];
}

function fullName(hostname: string, domain: string | undefined): string {
  return domain === undefined ? hostname : `${hostname}.${domain}`;
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new TsimgError("ERR_USAGE", `network "${twice}" is specified more than once`, {
    hint: "name each network once, by its name or its ID",
  });
}
