import type { IdMapping } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import type { UsernsFlags } from "./userns-flags.ts";

/** Whose user namespace a container has. */
export type UsernsMode =
  | { readonly kind: "host" }
  /** A new one with the first `size` IDs that are subordinate. */
  | { readonly kind: "private"; readonly size: number }
  /** A new one with `size` IDs that no other container has. */
  | { readonly kind: "auto"; readonly size: number }
  /** A new one with these maps. */
  | {
      readonly kind: "maps";
      readonly uids: readonly IdMapping[];
      readonly gids: readonly IdMapping[];
    }
  | { readonly kind: "container"; readonly container: string }
  | { readonly kind: "path"; readonly path: string };

/** What distributions give a user. */
const USUAL_SIZE = 65_536;
const MOST_IDS = 2 ** 32 - 1;
/** user_namespaces(7) */
const MOST_LINES = 340;

/**
 * Reads `--userns`, `--uidmap` and `--gidmap`.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseUsernsMode(flags: UsernsFlags): UsernsMode {
  const { userns, uidmap, gidmap } = flags;
  if (uidmap.length + gidmap.length > 0) {
    if (userns !== undefined && userns !== "private") {
      throw new TsimgError("ERR_USAGE", `--uidmap and --gidmap don't go with --userns ${userns}`, {
        hint: "leave out --userns: maps make a new user namespace",
      });
    }
    const uids = (uidmap.length > 0 ? uidmap : gidmap).map((text) =>
      parseMapping(text, "--uidmap"),
    );
    const gids = (gidmap.length > 0 ? gidmap : uidmap).map((text) =>
      parseMapping(text, "--gidmap"),
    );
    return { kind: "maps", uids: checkMap(uids, "--uidmap"), gids: checkMap(gids, "--gidmap") };
  }
  const [, kind = userns ?? "host", rest] =
    /^(auto|private|container|ns):(.*)$/s.exec(userns ?? "") ?? [];
  if (kind === "host" || kind === "") return { kind: "host" };
  if (kind === "private" || kind === "auto") return { kind, size: parseSize(rest) };
  if (kind === "container" && rest) return { kind: "container", container: rest };
  if (kind === "ns" && rest?.startsWith("/")) return { kind: "path", path: rest };
  throw new TsimgError("ERR_USAGE", `unknown --userns "${(userns ?? "").slice(0, 64)}"`, {
    hint: "choose host, private, auto, auto:size=N, container:ID or ns:/path",
  });
}

function parseSize(text: string | undefined): number {
  if (text === undefined) return USUAL_SIZE;
  const size = Number(/^size=(\d{1,10})$/.exec(text)?.[1]);
  if (size >= 1 && size <= MOST_IDS) return size;
  throw new TsimgError("ERR_USAGE", `invalid option "${text.slice(0, 64)}" of --userns`, {
    hint: "write a number of IDs, as in --userns auto:size=65536",
  });
}

function parseMapping(text: string, flag: string): IdMapping {
  const [, container, host, size = "1"] =
    /^(\d{1,10}):(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  const mapping = { containerID: Number(container), hostID: Number(host), size: Number(size) };
  const { containerID, hostID } = mapping;
  const fits = mapping.size >= 1 && Math.max(containerID, hostID) + mapping.size <= MOST_IDS;
  if (container !== undefined && fits) return mapping;
  throw new TsimgError("ERR_USAGE", `invalid mapping "${text.slice(0, 64)}" in ${flag}`, {
    hint: "write first ID in the container, first ID on the host, and how many: 0:100000:65536",
  });
}

/** What the kernel would refuse without a word. */
function checkMap(map: readonly IdMapping[], flag: string): readonly IdMapping[] {
  const overlaps = (side: "containerID" | "hostID") =>
    map.some((one, index) =>
      map.some(
        (two, at) =>
          at > index && one[side] < two[side] + two.size && two[side] < one[side] + one.size,
      ),
    );
  if (map.length > MOST_LINES)
    throw new TsimgError(
      "ERR_USAGE",
      `${flag}: ${map.length} ranges, the kernel takes ${MOST_LINES}`,
    );
  if (overlaps("containerID") || overlaps("hostID"))
    throw new TsimgError("ERR_USAGE", `ranges of ${flag} overlap`, { hint: "give each ID once" });
  if (map.every(({ containerID }) => containerID !== 0))
    throw new TsimgError("ERR_USAGE", `${flag} has no root: ID 0 of the container isn't mapped`, {
      hint: "add a range that begins with 0, as in 0:100000:65536",
    });
  return map;
}
