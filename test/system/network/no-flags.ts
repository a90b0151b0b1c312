import type { NetworkFlags } from "../../../src/runtime/network/network-flags.ts";

/** A command line that says nothing about the network. */
export const NO_FLAGS: NetworkFlags = {
  ...{ network: [], net: [], networkAlias: [], addHost: [], dns: [], dnsSearch: [] },
  ...{ dnsOption: [], publish: [], publishAll: false, expose: [] },
};
