import type { NetworkRow, PublishedPort } from "./network-row.ts";
import { elementsByMap } from "./nft-elements.ts";

/** Of the rules below and the bridges' settings: networks that were brought up by another one are brought up again. */
export const RULES_VERSION = 2;

/**
 * The whole firewall of a store, as input for `nft -f`: one transaction that replaces the
 * table, whatever it was before.
 *
 *     set    bridges, internal, pairs     one element a network
 *     set    inside4, inside6             subnets that are masqueraded on their way out
 *     set    near4, near6                 each subnet with its bridge
 *     map    ports4, ports6               protocol and port -> container, on all addresses
 *     map    bound4, bound6               address, protocol and port -> container
 *
 * The rules never change: a container's start and end add and delete elements of the maps.
 */
export function tableText(
  table: string,
  networks: readonly NetworkRow[],
  ports: readonly PublishedPort[],
): string {
  const open = networks.filter(({ internal }) => internal === 0);
  const names = (rows: readonly NetworkRow[]) => rows.map(({ bridge }) => `"${bridge}"`);
  const byMap = elementsByMap(ports);
  const map = (name: string, key: string, address: string) =>
    block(`map ${name}`, `${key} : ${address} . inet_service`, byMap.get(name) ?? []);
  const service = "inet_proto . inet_service";
  return [
    `add table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    block("set bridges", "ifname", names(networks)),
    block("set internal", "ifname", names(networks.filter(({ internal }) => internal === 1))),
    block(
      "set pairs",
      "ifname . ifname",
      names(networks).map((name) => `${name} . ${name}`),
    ),
    block(
      "set inside4",
      "ipv4_addr",
      open.map(({ subnet }) => subnet),
      "flags interval",
    ),
    block(
      "set inside6",
      "ipv6_addr",
      open.flatMap(({ subnet6 }) => subnet6 ?? []),
      "flags interval",
    ),
    block(
      "set near4",
      "ipv4_addr . ifname",
      networks.map(({ subnet, bridge }) => `${subnet} . "${bridge}"`),
      "flags interval",
    ),
    block(
      "set near6",
      "ipv6_addr . ifname",
      networks.flatMap(({ subnet6, bridge }) =>
        subnet6 === null ? [] : `${subnet6} . "${bridge}"`,
      ),
      "flags interval",
    ),
    map("ports4", service, "ipv4_addr"),
    map("ports6", service, "ipv6_addr"),
    map("bound4", `ipv4_addr . ${service}`, "ipv4_addr"),
    map("bound6", `ipv6_addr . ${service}`, "ipv6_addr"),
    CHAINS,
    "}",
    "",
  ].join("\n");
}

/** Takes the table away; one that isn't there is no error. */
export function tableRemoval(table: string): string {
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

function block(what: string, type: string, elements: readonly string[], flags?: string): string {
  const lines = [`type ${type}`, ...(flags === undefined ? [] : [flags])];
  if (elements.length > 0) lines.push(`elements = { ${elements.join(", ")} }`);
  return `  ${what} {\n${lines.map((line) => `    ${line}\n`).join("")}  }`;
}

/*
 * guard       The bridges route 127.0.0.0/8 for the sake of published ports; a container that
 *             sends there itself would reach services that listen on the host's loopback.
 * published   ::1 can't be routed: left alone, so that a client goes on to 127.0.0.1.
 * masquerade  In this order: the host through its loopback; a container through the host to
 *             one of its own network, whose answer would else take the short way; the world.
 *             (By the address: bridged packets have no incoming interface here.)
 * forward     Into a network come answers, published ports and its own members. "pairs"
 *             matter where br_netfilter shows bridged packets to these chains.
 */
const CHAINS = `
  chain guard {
    type filter hook prerouting priority raw
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain published {
    ip6 daddr ::1 return
    dnat ip to ip daddr . meta l4proto . th dport map @bound4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @bound6
    meta nfproto ipv4 dnat ip to meta l4proto . th dport map @ports4
    meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @ports6
  }
  chain incoming {
    type nat hook prerouting priority dstnat
    fib daddr type local jump published
  }
  chain local {
    type nat hook output priority -100
    fib daddr type local jump published
  }
  chain masquerade_all {
    type nat hook postrouting priority srcnat
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    ct status dnat ip saddr . oifname @near4 masquerade
    ct status dnat ip6 saddr . oifname @near6 masquerade
    oifname @bridges return
    ip saddr @inside4 masquerade
    ip6 saddr @inside6 masquerade
  }
  chain forward {
    type filter hook forward priority filter
    ct state established,related accept
    iifname . oifname @pairs accept
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }`;
