import { TsimgError } from "../../sys/error.ts";
import { canonical } from "./address.ts";
import { checkHostName } from "./host-name.ts";
import { type NetworkChoice, parseNetworkChoice } from "./network-choice.ts";
import type { NetworkFlags } from "./network-flags.ts";
import {
  type ContainerPort,
  distinctPorts,
  type PortRequest,
  parseExposed,
  parsePublish,
} from "./port-request.ts";

/** All that the flags ask of a container's network. Plain data: it is kept with the container. */
export interface NetworkRequest {
  readonly choice: NetworkChoice;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly extraHosts: readonly ExtraHost[];
  readonly dns: DnsChoice;
  readonly publish: readonly PortRequest[];
  readonly publishAll: boolean;
  readonly exposed: readonly ContainerPort[];
}

/** `address` may be `host-gateway`: the host as the container sees it. */
export interface ExtraHost {
  readonly name: string;
  readonly address: string;
}

/** What is empty comes from the host. */
export interface DnsChoice {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Stands for the host in `--add-host name:host-gateway`. */
export const HOST_GATEWAY = "host-gateway";

/** Every port that exists, of three protocols: more can't be asked for. */
const MOST_PORTS = 3 * 65_535;

/**
 * Checks the network flags.
 *
 * @throws TsimgError ERR_USAGE naming the flag, or the two that don't go together
 */
export function parseNetworkFlags(flags: NetworkFlags): NetworkRequest {
  const choice = parseNetworkChoice(flags);
  if (choice.kind === "container") refuseBesideContainer(flags);
  const { hostname, domainname } = flags;
  const publish = flags.publish.flatMap(parsePublish);
  if (publish.length > MOST_PORTS)
    throw new TsimgError("ERR_USAGE", `${publish.length} published ports are too many`);
  return {
    choice,
    ...(hostname !== undefined && { hostname: checkHostName(hostname, "hostname", 64) }),
    ...(domainname !== undefined && { domainname: checkHostName(domainname, "domainname", 64) }),
    extraHosts: flags.addHost.map(parseExtraHost),
    dns: {
      servers: flags.dns.map(parseDnsServer),
      search: flags.dnsSearch.map((text) => (text === "." ? text : checkHostName(text, "domain"))),
      options: flags.dnsOption.map(parseDnsOption),
    },
    publish: distinctRequests(publish),
    publishAll: flags.publishAll,
    exposed: distinctPorts(flags.expose.flatMap(parseExposed)),
  };
}

/** What the other container has already decided. Docker's words. */
function refuseBesideContainer(flags: NetworkFlags): void {
  const clashes: readonly (readonly [boolean, string])[] = [
    [flags.hostname !== undefined || flags.domainname !== undefined, "hostname"],
    [flags.publish.length > 0 || flags.publishAll, "port publishing"],
    [flags.expose.length > 0, "port exposing"],
    [flags.addHost.length > 0, "custom host-to-IP mapping"],
    [flags.dns.length + flags.dnsSearch.length + flags.dnsOption.length > 0, "dns"],
  ];
  const clash = clashes.find(([given]) => given)?.[1];
  if (clash === undefined) return;
  throw new TsimgError("ERR_USAGE", `conflicting options: ${clash} and the network mode`, {
    hint: "with --network container: these are the other container's",
  });
}

/** `name:address`, or with "=" for docker's sake; the address may be of IPv6, in brackets too. */
export function parseExtraHost(text: string): ExtraHost {
  const at = text.search(/[:=]/);
  const name = text.slice(0, Math.max(at, 0));
  const given = text.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
  const address = given === HOST_GATEWAY ? given : canonical(given);
  if (at > 0 && address !== undefined)
    return { name: checkHostName(name, "name in --add-host"), address };
  throw new TsimgError("ERR_USAGE", `invalid --add-host "${text.slice(0, 128)}"`, {
    hint: "write name:address or name:host-gateway, as in db:10.0.0.5",
  });
}

function parseDnsServer(text: string): string {
  const address = canonical(text);
  if (address !== undefined) return address;
  throw new TsimgError("ERR_USAGE", `invalid IP address "${text.slice(0, 64)}" in --dns`, {
    hint: "name servers are given by address, as in --dns 9.9.9.9",
  });
}

function parseDnsOption(text: string): string {
  if (/^[a-zA-Z0-9:._-]{1,128}$/.test(text)) return text;
  throw new TsimgError("ERR_USAGE", `invalid --dns-option "${text.slice(0, 64)}"`, {
    hint: "as in --dns-option ndots:2; resolv.conf(5) lists them",
  });
}

/** A port given twice in the same words is one. */
function distinctRequests(ports: readonly PortRequest[]): readonly PortRequest[] {
  return [...new Map(ports.map((port) => [JSON.stringify(port), port])).values()];
}
