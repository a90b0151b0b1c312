import { TsimgError } from "../../sys/error.ts";
import { removeNetwork } from "./ensure-networks.ts";
import type { NetworkContext } from "./network-context.ts";
import { DEFAULT_NETWORK, type NetworkRow } from "./network-row.ts";
import { NetworkStore } from "./network-store.ts";

/** Removes networks that nobody is in, never the default one. Answers their names. */
export function pruneNetworks(
  context: NetworkContext,
  isWanted: (network: NetworkRow) => boolean,
): readonly string[] {
  const store = new NetworkStore(context);
  return store
    .list()
    .filter(isWanted)
    .map(({ name }) => name)
    .filter((name) => name !== DEFAULT_NETWORK && store.members(name).length === 0)
    .filter((name) => remove(context, store, name));
}

function remove(context: NetworkContext, store: NetworkStore, name: string): boolean {
  try {
    removeNetwork(context, store, store.existing(name));
    return true;
  } catch (error) {
    // A container came into it, or somebody else removed it.
    const code = error instanceof TsimgError ? error.code : undefined;
    if (code === "ERR_IN_USE" || code === "ERR_NO_SUCH_NETWORK") return false;
    throw error;
  }
}
