import { TsimgError } from "../../sys/error.ts";
import { insertPort } from "./claim.ts";
import { leave, namespaceOf, type RunningContainer } from "./connect-network.ts";
import { gatewayMember } from "./gateway-member.ts";
import { routeBatch } from "./ip-batch.ts";
import type { NetworkContext } from "./network-context.ts";
import { networkNames } from "./network-names.ts";
import { runIp, runNft } from "./network-programs.ts";
import type { MemberRow, PublishedPort } from "./network-row.ts";
import { NetworkStore } from "./network-store.ts";
import { portsAddition } from "./nft-elements.ts";
import { interfacePlans } from "./prepare-network.ts";
import { removeInterfaces, removePorts } from "./reclaim-network.ts";

/**
 * Takes a running container out of a network. When that was its way out, the next of its
 * networks becomes it, and its published ports lead there; without one they end.
 *
 * @throws TsimgError ERR_NO_SUCH_NETWORK, ERR_USAGE, ERR_NETWORK
 */
export function disconnectNetwork(
  context: NetworkContext,
  container: RunningContainer,
  wanted: string,
): void {
  const store = new NetworkStore(context);
  const { name } = store.existing(wanted);
  const members = store.memberships(container.id);
  const member = members.find(({ network }) => network === name);
  if (member === undefined)
    throw new TsimgError("ERR_USAGE", `${container.name} is not connected to network ${name}`, {
      hint: "tsimg network inspect shows who is",
    });
  const networks = store.list();
  const rest = members.filter((other) => other !== member);
  const namespace = namespaceOf(container);
  // Its row goes last: whoever does this again after a crash finds what is left to do.
  if (gatewayMember(members, networks) === member) {
    movePorts(context, member, gatewayMember(rest, networks));
    const routes = interfacePlans(rest, networks).map(routeBatch).join("");
    if (routes !== "") runIp(routes, namespace);
  }
  removeInterfaces([member]);
  leave(context, member);
}

function movePorts(context: NetworkContext, from: MemberRow, to: MemberRow | undefined): void {
  const { database } = context;
  const sql = "select * from published_ports where container = ?";
  const ports = database.all<PublishedPort>(sql, from.container);
  if (ports.length === 0) return;
  removePorts(context, ports);
  const moved = ports.flatMap((port) => {
    const target = port.host_address.includes(":") ? to?.address6 : to?.address;
    return target === undefined || target === null ? [] : [{ ...port, target }];
  });
  database.transaction(() => {
    database.run("delete from published_ports where container = ?", from.container);
    for (const port of moved) insertPort(context, port);
  });
  if (moved.length > 0) runNft(portsAddition(networkNames(context.root).table, moved));
}
