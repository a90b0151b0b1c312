import { DEFAULT_ROOT } from "../../store/paths.ts";

/** What a store calls its own in the kernel, where all stores of a machine meet. */
export interface NetworkNames {
  /** Bridge of the default network. */
  readonly bridge: string;
  /** Table of nftables, in the family `inet`. */
  readonly table: string;
}

/** Bytes of an interface's name, without its NUL. @see IFNAMSIZ */
export const MOST_INTERFACE_NAME = 15;

/** @param root absolute path of the store: all but the default one get names of their own */
export function networkNames(root: string): NetworkNames {
  if (root === DEFAULT_ROOT) return { bridge: "tsimg0", table: "tsimg" };
  const mark = shortHash(root);
  return { bridge: `tsimg-${mark}`, table: `tsimg_${mark}` };
}

/** Of a network that the user made. */
export function bridgeName(networkId: string): string {
  return `ts-${networkId.slice(0, 12)}`;
}

/** The host's end of a container's interface. @param inside eth0, eth1, … */
export function vethName(containerId: string, inside: string): string {
  const number = inside.replace(/^\D+/, "");
  return `ts${containerId.slice(0, MOST_INTERFACE_NAME - 3 - number.length)}e${number}`;
}

/** 8 hex digits of the text, by FNV-1a: `node:crypto` would take 7 ms to load. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}
