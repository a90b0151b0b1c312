import { mkdirSync } from "node:fs";
import type { SnapshotId } from "../../drivers/driver.ts";
import type { LayerRemainder } from "../layer/remainder.ts";
import { needsParentTree, stitchLayer } from "../layer/stitch/stitch.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import { mountPrivately } from "../sys/private-mounts.ts";

/**
 * Puts an unpacked layer on top of its sealed parent and seals it.
 *
 * @param view an empty directory; the parent's tree is mounted there for a moment, in a
 *             mount namespace of this process alone
 */
export function sealLayer(
  snapshots: SnapshotStore,
  view: string,
  id: SnapshotId,
  remainder: LayerRemainder,
): void {
  const upper = snapshots.upperDirectory(id);
  const [parent] = snapshots.parents(id);
  if (parent === undefined) stitchLayer(upper, undefined, remainder);
  else if (needsParentTree(remainder)) {
    mkdirSync(view, { recursive: true });
    using _view = mountPrivately(snapshots.mounts(parent, "ro"), view);
    stitchLayer(upper, view, remainder);
  } else if (remainder.rootImplied) {
    // Only the root's own metadata is wanted, which the nearest parent's directory has.
    stitchLayer(upper, snapshots.upperDirectory(parent), remainder);
  }
  snapshots.seal(id, remainder.rootOpaque);
}
