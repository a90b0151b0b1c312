/** A member of a network as the others know it. */
export interface HostsEntry {
  readonly addresses: readonly string[];
  readonly names: readonly string[];
}

const BEGIN = "# tsimg: members of this container's networks; kept up to date, don't edit";
const END = "# tsimg: end";

const LOOPBACK = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** /etc/hosts of a new container, before anybody is in its networks. */
export function initialHosts(extra: readonly HostsEntry[]): string {
  return LOOPBACK + hostsLines(extra);
}

/**
 * `text` with its block of members replaced; without one, it is appended. What stands outside
 * of it is the container's own and stays, byte for byte.
 *
 * @param members lines as {@link hostsLines} makes them; empty: no block
 */
export function withMembers(text: string, members: string): string {
  const block = members === "" ? "" : `${BEGIN}\n${members}${END}\n`;
  const start = lineStart(text, BEGIN, 0);
  if (start < 0) {
    const gap = text === "" || text.endsWith("\n") || block === "" ? "" : "\n";
    return text + gap + block;
  }
  const end = lineStart(text, END, start);
  // Somebody cut the end off: the block goes on as long as its lines look like ours.
  const rest = end < 0 ? afterEntries(text, start) : afterLine(text, end);
  return text.slice(0, start) + block + text.slice(rest);
}

/** A line for each address, with each name once. */
export function hostsLines(entries: readonly HostsEntry[]): string {
  return entries
    .flatMap(({ addresses, names }) =>
      addresses.map((address) => `${address}\t${[...new Set(names)].join(" ")}\n`),
    )
    .join("");
}

/** Where a whole line `line` begins; `from` is itself the beginning of one. */
function lineStart(text: string, line: string, from: number): number {
  if (text.startsWith(`${line}\n`, from)) return from;
  const before = text.indexOf(`\n${line}\n`, from);
  return before < 0 ? -1 : before + 1;
}

function afterLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end < 0 ? text.length : end + 1;
}

function afterEntries(text: string, start: number): number {
  let at = afterLine(text, start);
  while (/^[0-9a-f.:]+\t/.test(text.slice(at, at + 64))) at = afterLine(text, at);
  return at;
}
