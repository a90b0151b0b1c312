import { bootId } from "../../store/process-identity.ts";
import { forwardFor } from "./host-forwarding.ts";
import { interfaceExists, ownNamespace, uplinkMtu } from "./host-interfaces.ts";
import { bridgeBatch, removalBatch } from "./ip-batch.ts";
import type { NetworkContext } from "./network-context.ts";
import { networkNames } from "./network-names.ts";
import { requireNetworkPrograms, runIp, runNft } from "./network-programs.ts";
import type { NetworkRow, PublishedPort } from "./network-row.ts";
import type { NetworkStore } from "./network-store.ts";
import { RULES_VERSION, tableRemoval, tableText } from "./nft-table.ts";
import { bridgeAlias, removeStrays } from "./stray-bridges.ts";

/**
 * Sees to it that networks have their bridges and the table of nftables knows them. When it
 * is so already, nothing is run: a row says where its network was brought up, and the kernel
 * whether there is such an interface. That somebody emptied the firewall can't be seen so
 * cheaply; `tsimg network reload` is for that.
 *
 * @returns their rows as they are now
 * @throws TsimgError ERR_NETWORK, ERR_DRIVER for a program that isn't installed
 */
export function ensureNetworks(
  context: NetworkContext,
  store: NetworkStore,
  names: readonly string[],
): readonly NetworkRow[] {
  const here = standing();
  const rows = names.map((name) => store.existing(name));
  if (rows.every((row) => isUp(row, here))) return rows;
  requireNetworkPrograms();
  // Within the lock of the database: whoever publishes a port later finds the new table, and
  // who did before is in it.
  context.database.transaction(() => {
    removeStrays(context);
    for (const { name } of rows) {
      const row = store.named(name);
      if (row !== undefined) bringUp(context, row, here);
    }
    writeTable(context, store);
  });
  return rows.map((row) => store.existing(row.name));
}

/** Writes the table anew and completes every bridge that is or should be there. */
export function reloadNetworks(context: NetworkContext, store: NetworkStore): void {
  requireNetworkPrograms();
  context.database.transaction(() => {
    for (const row of store.list()) if (row.up !== null) bringUp(context, row, standing());
    writeTable(context, store);
  });
}

/**
 * Deletes a network with its bridge; with the last that was in use goes the table. Cut off in
 * the middle, the network is still there, to be brought up again or removed.
 *
 * @throws TsimgError ERR_IN_USE while containers are in it
 */
export function removeNetwork(
  context: NetworkContext,
  store: NetworkStore,
  network: NetworkRow,
): void {
  context.database.transaction(() => {
    store.delete(network);
    if (network.up === null) return;
    if (interfaceExists(network.bridge)) runIp(removalBatch([network.bridge]));
    writeTable(context, store);
  });
}

function writeTable(context: NetworkContext, store: NetworkStore): void {
  const { table } = networkNames(context.root);
  const networks = store.list().filter(({ up }) => up !== null);
  const ports = context.database.all<PublishedPort>("select * from published_ports");
  runNft(networks.length === 0 ? tableRemoval(table) : tableText(table, networks, ports));
}

function bringUp(context: NetworkContext, row: NetworkRow, here: string): void {
  const mtu = row.mtu ?? uplinkMtu();
  const alias = bridgeAlias(context.root);
  runIp(bridgeBatch(row, mtu, interfaceExists(row.bridge), alias));
  forwardFor(row);
  const sql = "update networks set up = ?, mtu = ? where name = ?";
  context.database.run(sql, here, mtu, row.name);
}

function isUp(row: NetworkRow, here: string): boolean {
  return row.up === here && interfaceExists(row.bridge);
}

/** Whether a network was brought up in this boot and namespace. */
export function ensuredHere(row: NetworkRow): boolean {
  return row.up === standing();
}

/** Where this process would bring a network up, and how. */
function standing(): string {
  return `${bootId()} ${ownNamespace()} ${RULES_VERSION}`;
}
