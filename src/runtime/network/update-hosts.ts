import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import { type HostsEntry, hostsLines, withMembers } from "./hosts-file.ts";
import type { NetworkContext } from "./network-context.ts";
import type { MemberRow } from "./network-row.ts";

type NamedMember = MemberRow & { readonly name: string };

/** The container may write to its file too: what is larger than any list of ours is left alone. */
const MOST_BYTES = 4 << 20;

/**
 * Writes into /etc/hosts of every member of `networks` who is in their networks now. The
 * file stays the same one, since it is mounted in the container.
 *
 * Call inside the transaction that changes the members: its lock keeps writers apart.
 *
 * @param leavers who have just left one: their files are written too, with what they are still in
 */
export function updateHosts(
  context: NetworkContext,
  networks: readonly string[],
  leavers: readonly string[] = [],
): void {
  const all = context.database.all<NamedMember>(
    `select network_members.*, containers.name from network_members
     join containers on containers.id = network_members.container
     order by containers.name, network`,
  );
  const byNetwork = Map.groupBy(all, ({ network }) => network);
  const byContainer = Map.groupBy(all, ({ container }) => container);
  // Made once, not once for each file: hundreds of members are hundreds of files.
  const lines = new Map([...byNetwork].map(([name, its]) => [name, hostsLines(its.map(entryOf))]));
  const affected = new Set(
    networks.flatMap((network) => (byNetwork.get(network) ?? []).map(({ container }) => container)),
  );
  for (const leaver of leavers) affected.add(leaver);
  for (const container of affected) {
    const own = byContainer.get(container) ?? [];
    const members = own.map(({ network }) => lines.get(network) ?? "").join("");
    const path = join(context.stateDirectory(container), "hosts");
    rewrite(path, hostsLines(own.map(ownEntry)) + members);
  }
}

/** First in one's own file: the first name is what an address is called, the host's for oneself. */
function ownEntry(member: NamedMember): HostsEntry {
  const { addresses, names } = entryOf(member);
  return { addresses, names: [...hostNames(member), ...names] };
}

function entryOf(member: NamedMember): HostsEntry {
  const { address, address6, container, name, aliases } = member;
  return {
    addresses: [address, ...(address6 === null ? [] : [address6])],
    names: [
      name,
      ...(JSON.parse(aliases) as readonly string[]),
      ...hostNames(member),
      container.slice(0, 12),
    ],
  };
}

/** `web.example.org web`. */
function hostNames({ hostname }: MemberRow): readonly string[] {
  const [short = ""] = hostname.split(".");
  return hostname === "" ? [] : [hostname, short];
}

function rewrite(path: string, members: string): void {
  const fd = tolerating(["ENOENT"], () =>
    openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK),
  );
  if (fd === undefined) return;
  try {
    const { size } = fstatSync(fd);
    if (size > MOST_BYTES) return;
    const before = Buffer.alloc(size);
    const length = readSync(fd, before, 0, size, 0);
    // Whatever bytes the container wrote come back as they were.
    const text = before.toString("latin1", 0, length);
    const after = withMembers(text, members);
    if (after === text) return;
    // One write: who reads at the same time sees the old names or the new ones.
    const bytes = Buffer.from(after, "latin1");
    writeSync(fd, bytes, 0, bytes.length, 0);
    if (bytes.length < size) ftruncateSync(fd, bytes.length);
  } finally {
    closeSync(fd);
  }
}
