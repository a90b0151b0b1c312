import { TsimgError } from "../../sys/error.ts";
import { type Address, isUnspecified, parseAddress } from "./address.ts";
import type { HostListeners } from "./host-listeners.ts";
import type { PublishedPort } from "./network-row.ts";
import type { PortRequest } from "./port-request.ts";

/** Where free ports are looked for, as the kernel does for programs that don't care. */
const FREE_PORTS = [32_768, 60_999] as const;

/** Requests whose ports the launcher holds: each is one descriptor or two; it may have 1024. */
const MOST_HELD = 256;
const DESCRIPTORS = 2 * MOST_HELD;

/**
 * The ports that the launcher binds to, so that nobody else takes them as long as the container
 * lives: all, unless there are too many.
 *
 * @param ports in the order of their requests
 * @param hasSctp whether the kernel knows SCTP; where it doesn't, no program can have its ports
 */
export function heldPorts(
  ports: readonly PublishedPort[],
  hasSctp: boolean,
): readonly PublishedPort[] {
  return ports.slice(0, DESCRIPTORS).filter(({ protocol }) => protocol !== "sctp" || hasSctp);
}

/**
 * Whether binding to it tells, too, that it is free: so it is for ports that are asked for by
 * number. Where there is a choice /proc is read first, which takes the kernel 4 to 8 ms a family,
 * since it walks its whole table of connections.
 */
function isFixed({ hostPorts, protocol }: PortRequest): boolean {
  return hostPorts !== undefined && hostPorts[0] === hostPorts[1] && protocol !== "sctp";
}

export interface PortsInput {
  readonly container: string;
  readonly requests: readonly PortRequest[];
  /** The container's own addresses. */
  readonly targets: { readonly v4: string; readonly v6: string | undefined };
  /** Of all containers. */
  readonly published: readonly PublishedPort[];
  readonly listeners: Pick<HostListeners, "has">;
  /** Where the search for a free port begins, from 0 up to 1. */
  readonly random: () => number;
}

/** A port that is asked for belongs to another container. */
export class PortTaken extends TsimgError {
  readonly container: string;

  constructor(place: string, container: string) {
    super("ERR_PORT_IN_USE", `bind for ${place} failed: port is already allocated`, {
      hint: `container ${container.slice(0, 12)} publishes it: "tsimg ps" shows the ports`,
    });
    this.container = container;
  }
}

/**
 * Finds a port of the host for each request. Without an address it is on all of IPv4, and of
 * IPv6 when the container has that.
 *
 * @throws PortTaken for a port of another container; TsimgError ERR_PORT_IN_USE when none of a
 *         range is free. Whether a program of the host has a port that is asked for by number
 *         shows when the launcher binds to it; see {@link heldPorts}
 */
export function choosePorts(input: PortsInput): readonly PublishedPort[] {
  const taken = Map.groupBy(input.published, ({ host_port }) => host_port);
  const held = new Set(input.requests.slice(0, MOST_HELD).filter(isFixed));
  return input.requests.flatMap((request) => {
    const chosen = choosePort(request, input, taken, held.has(request));
    for (const port of chosen)
      taken.set(port.host_port, [...(taken.get(port.host_port) ?? []), port]);
    return chosen;
  });
}

type Taken = ReadonlyMap<number, readonly PublishedPort[]>;

function choosePort(
  request: PortRequest,
  input: PortsInput,
  taken: Taken,
  held: boolean,
): readonly PublishedPort[] {
  const listeners = held ? { has: () => false } : input.listeners;
  const [first, last] = request.hostPorts ?? FREE_PORTS;
  const count = last - first + 1;
  const start = request.hostPorts === undefined ? Math.floor(input.random() * count) : 0;
  let failure: TsimgError | undefined;
  for (let step = 0; step < count; step++) {
    const rows = rowsFor(request, first + ((start + step) % count), input);
    failure = rows.map((row) => whyNot(row, listeners, taken)).find((why) => why !== undefined);
    if (failure === undefined) return rows;
  }
  if (count === 1 && failure !== undefined) throw failure;
  const range = `${first}-${last}/${request.protocol}`;
  throw new TsimgError("ERR_PORT_IN_USE", `all ports of ${range} are allocated`, {
    hint: "publish on another range, or stop a container",
  });
}

function rowsFor(
  request: PortRequest,
  hostPort: number,
  { container, targets }: PortsInput,
): readonly PublishedPort[] {
  const row = (host_address: string, target: string): PublishedPort => ({
    host_address,
    host_port: hostPort,
    protocol: request.protocol,
    container,
    container_port: request.port,
    target,
  });
  const { hostAddress } = request;
  if (hostAddress === "")
    return [
      row("0.0.0.0", targets.v4),
      ...(targets.v6 === undefined ? [] : [row("::", targets.v6)]),
    ];
  if (!hostAddress.includes(":")) return [row(hostAddress, targets.v4)];
  if (targets.v6 !== undefined) return [row(hostAddress, targets.v6)];
  throw new TsimgError("ERR_USAGE", `can't publish on [${hostAddress}]: no IPv6 in the container`, {
    hint: "use a network with IPv6: tsimg network create --ipv6 NAME",
  });
}

function whyNot(
  row: PublishedPort,
  listeners: PortsInput["listeners"],
  taken: Taken,
): TsimgError | undefined {
  const address = parseAddress(row.host_address);
  if (address === undefined) return undefined;
  const other = (taken.get(row.host_port) ?? []).find(
    (each) => each.protocol === row.protocol && collide(each.host_address, address),
  );
  if (other !== undefined) return new PortTaken(placeOf(row), other.container);
  if (!listeners.has(address, row.host_port, row.protocol)) return undefined;
  const what = `failed to bind host port ${placeOf(row)}/${row.protocol}`;
  return new TsimgError("ERR_PORT_IN_USE", `${what}: address already in use`, {
    hint: `a program of the host has it: ss -lnp 'sport = :${row.host_port}' shows which`,
  });
}

function collide(taken: string, wanted: Address): boolean {
  const other = parseAddress(taken);
  if (other === undefined || other.family !== wanted.family) return false;
  return isUnspecified(other) || isUnspecified(wanted) || other.value === wanted.value;
}

/** `0.0.0.0:80`, `[::]:80`. */
export function placeOf({ host_address, host_port }: PublishedPort): string {
  return host_address.includes(":")
    ? `[${host_address}]:${host_port}`
    : `${host_address}:${host_port}`;
}
