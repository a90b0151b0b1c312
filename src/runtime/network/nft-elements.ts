import { type Family, isUnspecified, parseAddress } from "./address.ts";
import type { PublishedPort } from "./network-row.ts";

/** Adds a container's ports to the maps; what is there already is no error. */
export function portsAddition(table: string, ports: readonly PublishedPort[]): string {
  return commands("add", table, ports);
}

/**
 * Takes a container's ports out of the maps. Each is added first, in the same transaction:
 * nft fails for an element that isn't there, and this runs again after a crash.
 */
export function portsRemoval(table: string, ports: readonly PublishedPort[]): string {
  return commands("add", table, ports) + commands("delete", table, ports);
}

/** The elements of each map, as nft writes them. */
export function elementsByMap(ports: readonly PublishedPort[]): ReadonlyMap<string, string[]> {
  const byMap = new Map<string, string[]>();
  for (const port of ports) {
    const { map, element } = elementOf(port);
    const elements = byMap.get(map) ?? [];
    elements.push(element);
    byMap.set(map, elements);
  }
  return byMap;
}

function commands(verb: "add" | "delete", table: string, ports: readonly PublishedPort[]): string {
  return [...elementsByMap(ports)]
    .map(([map, elements]) => `${verb} element inet ${table} ${map} { ${elements.join(", ")} }\n`)
    .join("");
}

function elementOf(port: PublishedPort): { readonly map: string; readonly element: string } {
  const { host_address, host_port, protocol, target, container_port } = port;
  const address = parseAddress(host_address);
  const family: Family = address?.family ?? 4;
  const service = `${protocol} . ${host_port}`;
  const to = `${target} . ${container_port}`;
  if (address === undefined || isUnspecified(address))
    return { map: `ports${family}`, element: `${service} : ${to}` };
  return { map: `bound${family}`, element: `${host_address} . ${service} : ${to}` };
}
