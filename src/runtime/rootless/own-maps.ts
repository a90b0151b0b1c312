import type { IdMapping } from "../../oci/runtime-spec.ts";
import type { IdMaps } from "../userns/choose-maps.ts";
import { type IdRange, parseSubordinateIds } from "../userns/subordinate-ids.ts";

export interface OwnIds {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/**
 * The maps of an ordinary user's namespace: root is the user, all others are the user's
 * subordinate IDs in order. Undefined when there are none.
 *
 * @param subuid content of /etc/subuid, `subgid` of /etc/subgid
 */
export function ownMaps(ids: OwnIds, subuid: string, subgid: string): IdMaps | undefined {
  const names = [ids.name, String(ids.uid)];
  const uids = parseSubordinateIds(subuid, names);
  const gids = parseSubordinateIds(subgid, names);
  if (uids.length === 0 || gids.length === 0) return undefined;
  return { uidMappings: inOrder(ids.uid, uids), gidMappings: inOrder(ids.gid, gids) };
}

/** The user alone: whatever belongs to somebody else can't be kept apart. */
export function singleMaps({ uid, gid }: OwnIds): IdMaps {
  return { uidMappings: inOrder(uid, []), gidMappings: inOrder(gid, []) };
}

function inOrder(own: number, ranges: readonly IdRange[]): readonly IdMapping[] {
  let next = 1;
  const others = ranges.map(({ start, count }) => {
    const mapping = { containerID: next, hostID: start, size: count };
    next += count;
    return mapping;
  });
  return [{ containerID: 0, hostID: own, size: 1 }, ...others];
}
