import { programOutcome } from "../../sys/run-program.ts";
import { ensuredHere } from "./ensure-networks.ts";
import { forgetContainerFlows } from "./flush-flows.ts";
import { interfaceExists } from "./host-interfaces.ts";
import { removalBatch } from "./ip-batch.ts";
import type { NetworkContext } from "./network-context.ts";
import { tellMember } from "./network-events.ts";
import { networkNames, vethName } from "./network-names.ts";
import type { MemberRow, NetworkRow, PublishedPort } from "./network-row.ts";
import { portsRemoval } from "./nft-elements.ts";
import { updateHosts } from "./update-hosts.ts";

/**
 * Takes back all that a container has of the networks, whatever its end left: elements of the
 * firewall, its host interfaces, its rows, its name in the files of others. Costs one look at
 * the database for a container that has nothing, and may be done again and again.
 *
 * Call it before the container's own row is deleted.
 */
export function reclaimNetwork(context: NetworkContext, containerId: string): void {
  const held = holdings(context, [containerId]);
  if (held === undefined) return;
  // Before the rows: as long as they are there, nobody else is given these ports.
  removeFromKernel(context, held);
  context.database.transaction(() => forget(context, [containerId], held));
}

/**
 * As {@link reclaimNetwork}, of many at once: the firewall and the files of others are written
 * once, not once for each.
 *
 * @param isStillDead asked within the lock, where nobody can start a container again
 */
export function reclaimNetworks(
  context: NetworkContext,
  containerIds: readonly string[],
  isStillDead: (id: string) => boolean,
): void {
  if (containerIds.length === 0 || holdings(context, containerIds) === undefined) return;
  context.database.transaction(() => {
    const dead = containerIds.filter(isStillDead);
    const held = holdings(context, dead);
    if (held === undefined) return;
    removeFromKernel(context, held);
    forget(context, dead, held);
  });
}

interface Holdings {
  readonly members: readonly MemberRow[];
  readonly ports: readonly PublishedPort[];
}

/** What containers have; undefined when it is nothing. */
function holdings(
  { database }: NetworkContext,
  containers: readonly string[],
): Holdings | undefined {
  const of = "container in (select value from json_each(?))";
  const ids = JSON.stringify(containers);
  const members = database.all<MemberRow>(`select * from network_members where ${of}`, ids);
  const ports = database.all<PublishedPort>(`select * from published_ports where ${of}`, ids);
  return members.length + ports.length === 0 ? undefined : { members, ports };
}

function removeFromKernel(context: NetworkContext, { members, ports }: Holdings): void {
  if (!isHere(context, members)) return;
  removePorts(context, ports);
  removeInterfaces(members);
}

function forget(
  context: NetworkContext,
  containers: readonly string[],
  { members }: Holdings,
): void {
  for (const member of members) tellMember(context.database, member, "disconnect");
  for (const id of containers) {
    context.database.run("delete from published_ports where container = ?", id);
    context.database.run("delete from network_members where container = ?", id);
  }
  const networks = new Set(members.map(({ network }) => network));
  updateHosts(context, [...networks], containers);
}

/** Whether its networks are those of this boot: a reboot has taken all but the rows. */
function isHere({ database }: NetworkContext, members: readonly MemberRow[]): boolean {
  return members.some(({ network }) => {
    const row = database.get<NetworkRow>("select * from networks where name = ?", network);
    return row !== undefined && ensuredHere(row);
  });
}

/**
 * A failure means that somebody has emptied the firewall: the elements are gone as well.
 */
export function removePorts(context: NetworkContext, ports: readonly PublishedPort[]): void {
  if (ports.length === 0) return;
  const input = portsRemoval(networkNames(context.root).table, ports);
  programOutcome(["nft", "-f", "-"], { input });
  // After that, or the next packet of a conversation would lead to the container again.
  forgetContainerFlows(ports);
}

/**
 * The pairs end with the container's namespace, some time after its last process; but
 * somebody may keep that alive. Whichever way, it is no error when it is gone.
 */
export function removeInterfaces(members: readonly MemberRow[]): void {
  const names = members.map((member) => vethName(member.container, member.interface));
  const present = names.filter(interfaceExists);
  if (present.length === 0) return;
  programOutcome(["ip", "-force", "-batch", "-"], { input: removalBatch(present) });
}
