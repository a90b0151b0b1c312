import type { SnapshotId } from "../../drivers/driver.ts";
import { openErofsLayer } from "../layer/erofs/erofs-layer.ts";
import type { LayerRemainder } from "../layer/remainder.ts";
import { DiskUpper } from "../layer/stitch/disk-upper.ts";
import { markOpaque, needsParentTree, stitchLayer } from "../layer/stitch/stitch.ts";
import { TreeRoot } from "../layer/stitch/tree-path.ts";
import type { UpperTree } from "../layer/stitch/upper-tree.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";

/**
 * Puts a layer that was written apart on top of its sealed parent, and seals it.
 *
 * @param view see `SnapshotStore.open`
 */
export function sealLayer(
  snapshots: SnapshotStore,
  view: string,
  id: SnapshotId,
  remainder: LayerRemainder,
): void {
  const { layers } = snapshots.driverOf(id);
  if (layers.form === "overlay") {
    const upper = new DiskUpper(layers.dir(id));
    const [parent] = snapshots.parents(id);
    if (parent !== undefined && remainder.rootImplied && !needsParentTree(remainder))
      // Only the root's own metadata is wanted, which the nearest parent's directory has.
      stitchLayer(upper, new TreeRoot(layers.dir(parent)), remainder);
    else stitchOnto(snapshots, view, id, upper, remainder);
  } else if (layers.form === "image") {
    using layer = openErofsLayer(layers.dir(id));
    stitchOnto(snapshots, view, id, layer.upper, remainder);
    layer.finish();
  }
  snapshots.seal(id, remainder.rootOpaque);
}

function stitchOnto(
  snapshots: SnapshotStore,
  view: string,
  id: SnapshotId,
  upper: UpperTree,
  remainder: LayerRemainder,
): void {
  const [parent] = snapshots.parents(id);
  if (parent === undefined || !(needsParentTree(remainder) || remainder.rootImplied)) {
    markOpaque(upper, stitchLayer(upper, undefined, remainder));
    return;
  }
  using mounted = snapshots.open(parent, "ro", view);
  markOpaque(upper, stitchLayer(upper, new TreeRoot(mounted.path), remainder));
}
