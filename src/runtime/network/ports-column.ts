import { placeOf } from "./choose-ports.ts";
import type { PublishedPort } from "./network-row.ts";
import { parsePortList } from "./port-list.ts";
import { type ContainerPort, distinctPorts, type Protocol } from "./port-request.ts";

/** A line of the column before neighbours are joined. */
interface Entry {
  /** `0.0.0.0:8080`, without its port; empty: not published. */
  readonly place: string;
  readonly hostPort: number;
  readonly port: number;
  readonly protocol: Protocol;
}

/**
 * The PORTS of `ps`, as docker has them: `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp`;
 * rows of neighbours are joined, as in `0.0.0.0:8000-8002->80-82/tcp`.
 *
 * @param ports   of one container
 * @param exposed by its image and its flags, as `80/tcp`; others are passed over
 */
export function portsColumn(ports: readonly PublishedPort[], exposed: readonly string[]): string {
  const published = ports.map((port) => ({
    place: placeOf(port).replace(/\d+$/, ""),
    hostPort: port.host_port,
    port: port.container_port,
    protocol: port.protocol,
  }));
  const open = distinctPorts(parsePortList(exposed)).filter((each) => !isPublished(each, ports));
  const bare = open.map((each) => ({ ...each, place: "", hostPort: each.port }));
  const entries = [...published, ...bare].sort(
    (a, b) =>
      a.protocol.localeCompare(b.protocol) ||
      // Published ones first, and of these IPv4.
      Number(a.place === "") - Number(b.place === "") ||
      Number(a.place.startsWith("[")) - Number(b.place.startsWith("[")) ||
      a.place.localeCompare(b.place) ||
      a.port - b.port ||
      a.hostPort - b.hostPort,
  );
  return joined(entries).join(", ");
}

function isPublished(port: ContainerPort, ports: readonly PublishedPort[]): boolean {
  return ports.some((it) => it.container_port === port.port && it.protocol === port.protocol);
}

function joined(entries: readonly Entry[]): readonly string[] {
  const runs: { first: Entry; last: Entry }[] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    const follows =
      run !== undefined &&
      run.last.place === entry.place &&
      run.last.protocol === entry.protocol &&
      run.last.port + 1 === entry.port &&
      run.last.hostPort + 1 === entry.hostPort;
    if (follows) run.last = entry;
    else runs.push({ first: entry, last: entry });
  }
  return runs.map(({ first, last }) => {
    const inside = `${rangeOf(first.port, last.port)}/${first.protocol}`;
    if (first.place === "") return inside;
    return `${first.place}${rangeOf(first.hostPort, last.hostPort)}->${inside}`;
  });
}

function rangeOf(first: number, last: number): string {
  return first === last ? String(first) : `${first}-${last}`;
}
