import { readFileSync } from "node:fs";
import type { IdMapping } from "../../oci/runtime-spec.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { findOwner, type IdRange } from "./subordinate-ids.ts";
import type { UsernsFlags } from "./userns-flags.ts";
import type { UsernsMode } from "./userns-mode.ts";

/** Both maps of a user namespace. */
export interface IdMaps {
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
}

/** Whose ranges a container of root's gets when nobody is named: podman's user is as good. */
const OWNERS = ["tsimg", "containers", "root"];

/**
 * The maps of a container's new user namespace; undefined for one without.
 *
 * @param taken host ranges of other containers with `auto`
 * @throws TsimgError ERR_CONFIG_INVALID when nobody has subordinate IDs, or too few
 */
export function chooseMaps(
  mode: UsernsMode,
  flags: UsernsFlags,
  taken: readonly IdMaps[],
): IdMaps | undefined {
  if (mode.kind === "maps") return { uidMappings: mode.uids, gidMappings: mode.gids };
  if (mode.kind !== "private" && mode.kind !== "auto") return undefined;
  const subuid = read("/etc/subuid");
  const subgid = read("/etc/subgid");
  const uids = findOwner(ownerOf(flags.subuidname), subuid, subuid).uids;
  const gids = findOwner(ownerOf(flags.subgidname ?? flags.subuidname), subgid, subgid).gids;
  const busy = (key: keyof IdMaps) =>
    mode.kind === "auto" ? taken.flatMap((maps) => maps[key]) : [];
  return {
    uidMappings: [pick(uids, mode.size, busy("uidMappings"), "/etc/subuid")],
    gidMappings: [pick(gids, mode.size, busy("gidMappings"), "/etc/subgid")],
  };
}

function ownerOf(name: string | undefined): readonly string[] {
  return name === undefined ? OWNERS : [name];
}

/** The lowest `size` IDs in a row that nobody has. */
export function pick(
  ranges: readonly IdRange[],
  size: number,
  busy: readonly IdMapping[],
  file: string,
): IdMapping {
  for (const { start, count } of ranges) {
    const ends = busy.map(({ hostID, size: length }) => hostID + length);
    const candidates = [start, ...ends.filter((end) => end > start)].sort((a, b) => a - b);
    for (const first of candidates) {
      const found = { containerID: 0, hostID: first, size };
      if (first + size <= start + count && !busy.some((it) => overlap(found, it))) return found;
    }
  }
  throw new TsimgError("ERR_CONFIG_INVALID", `${file} has no ${size} IDs in a row that are free`, {
    hint: "give the user a larger range, remove containers, or ask for fewer: --userns auto:size=N",
  });
}

/** Whether IDs of the host occur in both. */
export function shareIds(maps: IdMaps, others: readonly IdMaps[]): boolean {
  const shared = (key: keyof IdMaps) =>
    maps[key].some((one) => others.some((other) => other[key].some((it) => overlap(one, it))));
  return shared("uidMappings") || shared("gidMappings");
}

function overlap(one: IdMapping, other: IdMapping): boolean {
  return one.hostID < other.hostID + other.size && other.hostID < one.hostID + one.size;
}

function read(path: string): string {
  return tolerating(["ENOENT"], () => readFileSync(path, "utf8")) ?? "";
}
