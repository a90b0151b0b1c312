import { TsimgError } from "../../sys/error.ts";

/** IDs of the host that a user may give away. @see subuid(5) */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

const MOST_IDS = 2 ** 32 - 1;

/**
 * The ranges of a user in /etc/subuid or /etc/subgid; lines that make no sense are passed over.
 *
 * @param names by any of which the file may call the user: the name, the number
 */
export function parseSubordinateIds(text: string, names: readonly string[]): readonly IdRange[] {
  return text.split("\n").flatMap((line) => {
    const [, name = "", start = "", count = ""] =
      /^([^:#]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    if (!names.includes(name)) return [];
    const range = { start: Number(start), count: Number(count) };
    return range.count > 0 && range.start + range.count <= MOST_IDS ? [range] : [];
  });
}

/**
 * The first of `names` that has ranges in both files.
 *
 * @throws TsimgError ERR_CONFIG_INVALID when none has
 */
export function findOwner(
  names: readonly string[],
  subuid: string,
  subgid: string,
): { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] } {
  for (const name of names) {
    const uids = parseSubordinateIds(subuid, [name]);
    const gids = parseSubordinateIds(subgid, [name]);
    if (uids.length > 0 && gids.length > 0) return { uids, gids };
  }
  const [first = "tsimg"] = names;
  throw new TsimgError(
    "ERR_CONFIG_INVALID",
    `/etc/subuid and /etc/subgid have no range for "${first}"`,
    {
      hint: `add a line ${first}:100000:65536 to both, or choose --userns host`,
    },
  );
}
