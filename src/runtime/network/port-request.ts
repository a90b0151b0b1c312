import { TsimgError } from "../../sys/error.ts";
import { canonical } from "./address.ts";

export type Protocol = "tcp" | "udp" | "sctp";

export interface ContainerPort {
  readonly port: number;
  readonly protocol: Protocol;
}

/** One port of a container that is to be reached at one of the host's. */
export interface PortRequest extends ContainerPort {
  /** Empty: all addresses of the host. */
  readonly hostAddress: string;
  /** First and last that will do; undefined: any free one. */
  readonly hostPorts: readonly [number, number] | undefined;
}

type Range = readonly [number, number];

const SYNTAX = "write [[ip:][hostPort]:]containerPort[/tcp|udp|sctp], as in 127.0.0.1:8080:80";

/**
 * Reads one `-p`. A range of container ports gives one request each; the range of host ports
 * is then as long. For a single container port it says where to look for a free one.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parsePublish(text: string): readonly PortRequest[] {
  const parts = text.split(":");
  const container = parts.at(-1) ?? "";
  const host = parts.at(-2) ?? "";
  const hostAddress = parseHostAddress(parts.slice(0, -2).join(":"), text);
  const [ports, protocol] = splitProtocol(container, text);
  if (ports === "") throw badPublish(text, "no container port specified");
  const [first, last] = parseRange(ports, "container port", 1, text);
  const hostRange = host === "" ? undefined : parseRange(host, "host port", 0, text);
  // Port 0 means "any", as with docker.
  const wanted = hostRange?.[0] === 0 && hostRange[1] === 0 ? undefined : hostRange;
  const count = last - first + 1;
  if (wanted !== undefined && count > 1 && wanted[1] - wanted[0] + 1 !== count)
    throw badPublish(text, `the ranges ${ports} and ${host} differ in length`);
  return Array.from({ length: count }, (_, index) => ({
    hostAddress,
    hostPorts: hostPortsFor(wanted, index, count),
    port: first + index,
    protocol,
  }));
}

/**
 * Reads `80`, `80-90/udp`: an `--expose` flag, or what an image exposes.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseExposed(text: string): readonly ContainerPort[] {
  const [ports, protocol] = splitProtocol(text, text);
  const [first, last] = parseRange(ports, "port", 1, text);
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    port: first + index,
    protocol,
  }));
}

/** Each port once: what an image and the flags expose, in order of number. */
export function distinctPorts(ports: readonly ContainerPort[]): readonly ContainerPort[] {
  const byName = new Map(ports.map((port) => [`${port.port}/${port.protocol}`, port]));
  return [...byName.values()].sort(
    (a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol),
  );
}

function hostPortsFor(wanted: Range | undefined, index: number, count: number): Range | undefined {
  if (wanted === undefined || count === 1) return wanted;
  return [wanted[0] + index, wanted[0] + index];
}

function parseHostAddress(text: string, whole: string): string {
  if (text === "") return "";
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const address = canonical(bare);
  if (address !== undefined) return address;
  throw badPublish(whole, `"${text.slice(0, 64)}" is no IP address of the host`);
}

function splitProtocol(text: string, whole: string): readonly [string, Protocol] {
  const [ports = "", protocol = "tcp", ...rest] = text.split("/");
  const known = protocol.toLowerCase();
  const good = known === "tcp" || known === "udp" || known === "sctp";
  if (good && rest.length === 0) return [ports, known];
  throw badPublish(whole, `unknown protocol "${protocol.slice(0, 64)}"`);
}

function parseRange(text: string, what: string, least: number, whole: string): Range {
  const [, from = "", to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === "" || first < least || last > 65_535 || first > last)
    throw badPublish(whole, `invalid ${what} "${text.slice(0, 64)}"`);
  return [first, last];
}

function badPublish(text: string, what: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid port "${text.slice(0, 128)}": ${what}`, {
    hint: SYNTAX,
  });
}
