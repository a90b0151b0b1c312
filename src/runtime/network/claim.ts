import { TsimgError } from "../../sys/error.ts";
import { AddressTaken, chooseAddress } from "./choose-address.ts";
import { choosePorts, PortTaken } from "./choose-ports.ts";
import { gatewayMember } from "./gateway-member.ts";
import { HostListeners } from "./host-listeners.ts";
import type { Attachment } from "./network-choice.ts";
import type { NetworkContext } from "./network-context.ts";
import { tellMember } from "./network-events.ts";
import type { MemberRow, NetworkRow, PublishedPort } from "./network-row.ts";
import type { NetworkStore } from "./network-store.ts";
import type { PortRequest } from "./port-request.ts";
import { reclaimNetwork } from "./reclaim-network.ts";
import { updateHosts } from "./update-hosts.ts";

/** What a container is to have of the networks. */
export interface Claim {
  readonly container: string;
  readonly hostname: string;
  /** With the network's names, each with the name of its interface. */
  readonly attachments: readonly (Attachment & { readonly interface: string })[];
  readonly publish: readonly PortRequest[];
}

export interface Claimed {
  readonly members: readonly MemberRow[];
  readonly ports: readonly PublishedPort[];
}

/** As often as containers may die between looking and taking: then the error stands. */
const ATTEMPTS = 64;

/**
 * Takes addresses and ports for a container and tells its neighbours, in one transaction.
 * What a container has that died without anybody looking is taken from it.
 *
 * @throws TsimgError ERR_IN_USE, ERR_PORT_IN_USE, ERR_USAGE, ERR_NO_SUCH_NETWORK
 */
export function claimNetwork(context: NetworkContext, store: NetworkStore, claim: Claim): Claimed {
  for (let attempt = 1; ; attempt++) {
    try {
      const listeners = new HostListeners();
      return context.database.transaction(() => claimNow(context, store, claim, listeners));
    } catch (error) {
      const freed = attempt < ATTEMPTS && freeDead(context, store, claim, error);
      if (!freed) throw error;
    }
  }
}

function claimNow(
  context: NetworkContext,
  store: NetworkStore,
  claim: Claim,
  listeners: HostListeners,
): Claimed {
  const networks: NetworkRow[] = [];
  for (const attachment of claim.attachments) {
    const network = standingNetwork(store, attachment.network);
    networks.push(network);
    insertMember(context, claim, attachment, network, store.members(network.name));
  }
  const members = store.memberships(claim.container);
  const ports = publishedOf(context, claim, members, networks, listeners);
  for (const port of ports) insertPort(context, port);
  updateHosts(
    context,
    networks.map(({ name }) => name),
  );
  return { members, ports };
}

/** Somebody may have removed it since its bridge was looked at. */
function standingNetwork(store: NetworkStore, name: string): NetworkRow {
  const network = store.named(name);
  if (network !== undefined && network.up !== null) return network;
  throw new TsimgError("ERR_NO_SUCH_NETWORK", `network "${name}" was removed just now`, {
    hint: "start again, with a network that is there",
  });
}

function insertMember(
  { database }: NetworkContext,
  claim: Claim,
  attachment: Claim["attachments"][number],
  network: NetworkRow,
  members: readonly MemberRow[],
): void {
  const { address, address6, mac } = chooseAddress(network, members, attachment);
  database.run(
    `insert into network_members
       (network, container, address, address6, mac, interface, hostname, aliases)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
    network.name,
    claim.container,
    address,
    address6,
    mac,
    attachment.interface,
    claim.hostname,
    JSON.stringify(attachment.aliases),
  );
  tellMember(database, { network: network.name, container: claim.container }, "connect");
  const sql = "update networks set last_address = ? where name = ?";
  if (attachment.address === undefined) database.run(sql, address, network.name);
}

function publishedOf(
  { database }: NetworkContext,
  { container, publish }: Claim,
  members: readonly MemberRow[],
  networks: readonly NetworkRow[],
  listeners: HostListeners,
): readonly PublishedPort[] {
  const member = gatewayMember(members, networks);
  if (publish.length === 0 || member === undefined) return [];
  return choosePorts({
    container,
    requests: publish,
    targets: { v4: member.address, v6: member.address6 ?? undefined },
    published: database.all<PublishedPort>("select * from published_ports"),
    listeners,
    random: Math.random,
  });
}

export function insertPort({ database }: NetworkContext, port: PublishedPort): void {
  database.run(
    `insert into published_ports
       (host_address, host_port, protocol, container, container_port, target)
     values (?, ?, ?, ?, ?, ?)`,
    port.host_address,
    port.host_port,
    port.protocol,
    port.container,
    port.container_port,
    port.target,
  );
}

/** @returns whether it makes sense to try again */
function freeDead(
  context: NetworkContext,
  store: NetworkStore,
  claim: Claim,
  error: unknown,
): boolean {
  if (!(error instanceof PortTaken || error instanceof AddressTaken)) return false;
  const owners =
    error.container === undefined
      ? claim.attachments.flatMap(({ network }) => store.members(network).map((it) => it.container))
      : [error.container];
  const dead = owners.filter((id) => id !== claim.container && !context.isAlive(id));
  for (const id of dead) reclaimNetwork(context, id);
  return dead.length > 0;
}
