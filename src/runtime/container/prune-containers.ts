import type { Container } from "./container.ts";
import { isStopped } from "./container-look.ts";
import type { ContainerStore } from "./container-store.ts";

/**
 * Removes containers that don't run.
 *
 * @param usage bytes that a snapshot takes
 * @param isWanted whether one of those is to go
 * @returns their IDs, and the bytes that they took
 */
export function pruneContainers(
  containers: ContainerStore,
  usage: (container: Container) => number,
  isWanted: (container: Container) => boolean,
): { readonly removed: readonly string[]; readonly bytes: number } {
  const removed: string[] = [];
  let bytes = 0;
  for (const { row } of containers.list().filter(isStopped).filter(isWanted)) {
    // Looked at again: somebody may have started or removed it meanwhile.
    const now = containers.find(row.id);
    if (now === undefined || !containers.claimRemoval(row.id)) continue;
    const size = usage(now);
    containers.remove(now.row, now.options);
    removed.push(row.id);
    bytes += size;
  }
  return { removed, bytes };
}
