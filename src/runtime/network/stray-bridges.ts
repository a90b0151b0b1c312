import { existsSync } from "node:fs";
import { programOutcome, programPath } from "../../sys/run-program.ts";
import { removalBatch } from "./ip-batch.ts";
import type { NetworkContext } from "./network-context.ts";
import { networkNames } from "./network-names.ts";
import { tableRemoval } from "./nft-table.ts";

/** An interface as `ip -j link` shows it. */
export interface Link {
  readonly ifname: string;
  /** Name of the bridge that it is in. */
  readonly master?: string;
  readonly ifalias?: string;
}

/** What a store has left in the kernel. */
export interface Stray {
  readonly root: string;
  readonly bridges: readonly string[];
}

const MARK = "tsimg:";

/** Bytes without the NUL. @see IFALIASZ */
const MOST_ALIAS = 255;

/**
 * What a bridge says of itself: whose it is. Undefined for a path that an alias or the input
 * of `ip -batch` has no room for.
 */
export function bridgeAlias(root: string): string | undefined {
  const alias = MARK + root;
  return /^[\w:./+@=-]+$/.test(alias) && alias.length <= MOST_ALIAS ? alias : undefined;
}

/**
 * Stores that are gone, but not their bridges. Where somebody is in one, all stay.
 *
 * @param isKnown whether a bridge belongs to a store that is there
 */
export function straysAmong(
  links: readonly Link[],
  isKnown: (root: string, bridge: string) => boolean,
): readonly Stray[] {
  const used = new Set(links.map(({ master }) => master));
  const marked = links.filter(
    ({ ifname, ifalias }) =>
      ifalias?.startsWith(MARK) && !isKnown(ifalias.slice(MARK.length), ifname),
  );
  const byRoot = Map.groupBy(marked, ({ ifalias = "" }) => ifalias.slice(MARK.length));
  return [...byRoot]
    .map(([root, its]) => ({ root, bridges: its.map(({ ifname }) => ifname) }))
    .filter(({ bridges }) => !bridges.some((name) => used.has(name)));
}

/**
 * Takes down what stores have left that were deleted as directories: else their addresses
 * would never be free again. A store that this process only doesn't see has its bridges back
 * with its next container. Failures are the next one's business.
 *
 * Call it within a transaction: nobody else then brings a bridge up.
 *
 * @param root of this process's store, whose networks are in the database
 */
export function removeStrays({ database, root }: Pick<NetworkContext, "database" | "root">): void {
  if (programPath("ip") === undefined) return;
  const { status, stdout } = programOutcome(["ip", "-j", "link", "show"]);
  if (status !== 0) return;
  const links = JSON.parse(stdout) as readonly Link[];
  const rows = database.all<{ bridge: string }>("select bridge from networks");
  const own = new Set(rows.map(({ bridge }) => bridge));
  const isKnown = (other: string, bridge: string) =>
    other === root ? own.has(bridge) : existsSync(other);
  for (const stray of straysAmong(links, isKnown)) {
    programOutcome(["ip", "-force", "-batch", "-"], { input: removalBatch(stray.bridges) });
    if (stray.root === root) continue;
    programOutcome(["nft", "-f", "-"], { input: tableRemoval(networkNames(stray.root).table) });
  }
}
