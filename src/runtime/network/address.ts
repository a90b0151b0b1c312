export type Family = 4 | 6;

/** An IP address: 32 or 128 bits. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export function addressBits(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** Reads `192.0.2.1` or `2001:db8::1`; undefined for anything else, zones included. */
export function parseAddress(text: string): Address | undefined {
  const value = text.includes(":") ? parseV6(text) : parseV4(text);
  return value === undefined ? undefined : { family: text.includes(":") ? 6 : 4, value };
}

/** The one text of an address: for IPv6 as RFC 5952 has it. */
export function formatAddress({ family, value }: Address): string {
  return family === 4 ? formatV4(value) : formatV6(value);
}

/** `text` as {@link formatAddress} writes it, when it is an address of that family. */
export function canonical(text: string, family?: Family): string | undefined {
  const address = parseAddress(text);
  if (address === undefined || (family !== undefined && address.family !== family))
    return undefined;
  return formatAddress(address);
}

/** In network byte order: 4 or 16 bytes. */
export function addressBytes({ family, value }: Address): Uint8Array {
  const digits = value.toString(16).padStart(addressBits(family) / 4, "0");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function isLoopback({ family, value }: Address): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n;
}

/** Whether it means "all addresses of this machine". */
export function isUnspecified({ value }: Address): boolean {
  return value === 0n;
}

function parseV4(text: string): bigint | undefined {
  // No leading zeros: some programs take them for octal.
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  if (text.length > 45) return undefined;
  const plain = withoutDottedEnd(text);
  if (plain === undefined) return undefined;
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail] = groups;
  const given = head.length + (tail?.length ?? 0);
  if (tail === undefined ? given !== 8 : given > 7) return undefined;
  const all = [...head, ...Array<string>(8 - given).fill("0"), ...(tail ?? [])];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** `::ffff:192.0.2.1` with its last 32 bits in hexadecimal. */
function withoutDottedEnd(text: string): string | undefined {
  const colon = text.lastIndexOf(":");
  const end = text.slice(colon + 1);
  if (!end.includes(".")) return text;
  const value = parseV4(end);
  if (value === undefined) return undefined;
  return `${text.slice(0, colon + 1)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function formatV4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
}

function formatV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16),
  );
  const runs = [...groups.join(":").matchAll(/(?<![^:])0(?::0)+(?![^:])/g)];
  const longest = runs.reduce((best, [run]) => (run.length > best.length ? run : best), "");
  if (longest === "") return groups.join(":");
  const [before = "", after = ""] = splitOnce(groups.join(":"), longest);
  return `${before.replace(/:$/, "")}::${after.replace(/^:/, "")}`;
}

/** At the first place where `part` stands as whole groups. */
function splitOnce(text: string, part: string): readonly [string, string] {
  const at = `:${text}:`.indexOf(`:${part}:`);
  return [text.slice(0, at), text.slice(at + part.length)];
}
