import { readFileSync, readlinkSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { claimNetwork } from "./claim.ts";
import { ensureNetworks } from "./ensure-networks.ts";
import { ownNamespace } from "./host-interfaces.ts";
import { insideBatch, vethBatch } from "./ip-batch.ts";
import type { Attachment } from "./network-choice.ts";
import type { NetworkContext } from "./network-context.ts";
import { tellMember } from "./network-events.ts";
import { runIp } from "./network-programs.ts";
import type { MemberRow } from "./network-row.ts";
import { NetworkStore } from "./network-store.ts";
import { interfacePlans, networkOf } from "./prepare-network.ts";
import { removeInterfaces } from "./reclaim-network.ts";
import { updateHosts } from "./update-hosts.ts";

export interface RunningContainer {
  readonly id: string;
  /** As the user knows it. */
  readonly name: string;
  /** Of its first process. */
  readonly pid: number;
  /** With its domain, when it has one. */
  readonly hostname: string;
}

/**
 * Puts a running container into one more network: an interface, a default route when it has
 * none, its name in the others' files.
 *
 * @throws TsimgError ERR_USAGE, ERR_IN_USE, ERR_NO_SUCH_NETWORK, ERR_NETWORK; nothing is then
 *         left
 */
export function connectNetwork(
  context: NetworkContext,
  container: RunningContainer,
  attachment: Attachment,
): void {
  const store = new NetworkStore(context);
  const { name } = store.existing(attachment.network);
  const namespace = namespaceOf(container);
  const before = store.memberships(container.id);
  if (before.some(({ network }) => network === name))
    throw new TsimgError("ERR_IN_USE", `${container.name} is already attached to network ${name}`);
  ensureNetworks(context, store, [name]);
  const inside = freeInterface(container.pid, before);
  const { members } = claimNetwork(context, store, {
    container: container.id,
    hostname: container.hostname,
    attachments: [{ ...attachment, network: name, interface: inside }],
    publish: [],
  });
  const member = members.find(({ network }) => network === name);
  if (member === undefined) return;
  try {
    attach(store, member, members, namespace);
  } catch (error) {
    removeInterfaces([member]);
    leave(context, member);
    throw error;
  }
}

/** Deletes a member's row, and its name from the files of others. */
export function leave(context: NetworkContext, member: MemberRow): void {
  const { network, container } = member;
  context.database.transaction(() => {
    const sql = "delete from network_members where network = ? and container = ?";
    if (context.database.run(sql, network, container) > 0)
      tellMember(context.database, member, "disconnect");
    updateHosts(context, [network], [container]);
  });
}

/** The container's network namespace, as a path. @throws TsimgError ERR_USAGE for the host's */
export function namespaceOf({ name, pid }: RunningContainer): string {
  const path = `/proc/${pid}/ns/net`;
  const theirs = tolerating(["ENOENT"], () => readlinkSync(path));
  if (theirs === undefined)
    throw new TsimgError("ERR_STATE", `container ${name} is not running`, {
      hint: "start it first",
    });
  if (theirs !== ownNamespace()) return path;
  throw new TsimgError("ERR_USAGE", `container ${name} is on the host's network`, {
    hint: "a container started with --network host can't be in others",
  });
}

function attach(
  store: NetworkStore,
  member: MemberRow,
  members: readonly MemberRow[],
  namespace: string,
): void {
  const networks = store.list();
  runIp(vethBatch(member, networkOf(member, networks), namespace, false));
  const plans = interfacePlans(members, networks);
  const own = plans.filter(({ name }) => name === member.interface);
  runIp(own.map(insideBatch).join(""), namespace);
}

/** eth0, eth1, …: whichever is free, also of interfaces that the container made itself. */
function freeInterface(pid: number, members: readonly MemberRow[]): string {
  const text = readFileSync(`/proc/${pid}/net/dev`, "latin1");
  const present = [...text.matchAll(/^ *([^\s:]+):/gm)].map(([, name]) => name);
  const taken = new Set([...present, ...members.map((member) => member.interface)]);
  for (let number = 0; number < 100; number++)
    if (!taken.has(`eth${number}`)) return `eth${number}`;
  throw new TsimgError("ERR_USAGE", "the container has a hundred interfaces already");
}
