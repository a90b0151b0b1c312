import { isLoopback, parseAddress } from "./address.ts";
import type { DnsChoice } from "./network-request.ts";

/** The host's files that a container's resolv.conf is made of. */
export interface ResolverFiles {
  readonly resolvConf: string | undefined;
  /** /run/systemd/resolve/resolv.conf: the servers behind systemd-resolved's 127.0.0.53. */
  readonly systemdResolved: string | undefined;
}

/** Used as docker does when the host has no server that a container could reach. */
const PUBLIC_SERVERS = ["8.8.8.8", "8.8.4.4"];
const PUBLIC_SERVERS_V6 = ["2001:4860:4860::8888", "2001:4860:4860::8844"];

/**
 * A container's resolv.conf: the host's, without name servers that the container could not
 * reach (on the host's loopback, or of IPv6 when it has none), and with what the flags say
 * in place of the host's.
 *
 * @param reaches which families the container has; "host": it is on the host's network
 */
export function resolvConf(
  dns: DnsChoice,
  host: ResolverFiles,
  reaches: "host" | { readonly ipv6: boolean },
): string {
  const asIs = dns.servers.length + dns.search.length + dns.options.length === 0;
  if (reaches === "host" && asIs) return host.resolvConf ?? "";
  const own = readResolvConf(host.resolvConf ?? "");
  const base = reaches === "host" || !isStub(own.servers) ? own : behindStub(own, host);
  const inherited = reaches === "host" ? base.servers : reachable(base.servers, reaches.ipv6);
  const servers = dns.servers.length > 0 ? dns.servers : inherited;
  // A single "." means: search nowhere.
  const search = dns.search.length > 0 ? dns.search.filter((name) => name !== ".") : base.search;
  const options = dns.options.length > 0 ? dns.options : base.options;
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length > 0 ? [`search ${search.join(" ")}\n`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}\n`] : []),
  ].join("");
}

/** @see resolv.conf(5) */
function readResolvConf(text: string): DnsChoice {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const values = (key: string) =>
    lines.filter(([word]) => word === key).map((line) => line.slice(1));
  const lastOf = (lists: readonly (readonly string[])[]) => lists.at(-1) ?? [];
  const search = lines.filter(([word]) => word === "search" || word === "domain");
  return {
    servers: values("nameserver").flatMap(([server]) => (server === undefined ? [] : [server])),
    search: lastOf(search.map((line) => line.slice(1))),
    options: values("options").flat(),
  };
}

function isStub(servers: readonly string[]): boolean {
  return servers.length > 0 && servers.every((server) => server === "127.0.0.53");
}

function behindStub(own: DnsChoice, host: ResolverFiles): DnsChoice {
  const behind = readResolvConf(host.systemdResolved ?? "");
  return { ...own, servers: behind.servers };
}

function reachable(servers: readonly string[], ipv6: boolean): readonly string[] {
  const fit = servers.filter((server) => {
    // A link-local server has its zone behind a "%", which means nothing in the container.
    const address = parseAddress(server);
    return address !== undefined && !isLoopback(address) && (address.family === 4 || ipv6);
  });
  if (fit.length > 0) return fit;
  return ipv6 ? [...PUBLIC_SERVERS, ...PUBLIC_SERVERS_V6] : PUBLIC_SERVERS;
}
