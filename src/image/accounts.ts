import { readFileSync } from "node:fs";
import type { SnapshotId } from "../../drivers/driver.ts";
import { DiskUpper } from "../layer/stitch/disk-upper.ts";
import { type Found, MergedTree } from "../layer/stitch/merged-tree.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import { TsimgError } from "../sys/error.ts";

/** No passwd or group file that is larger is read. */
const MAX_SIZE = 1 << 20;

/** The image's own user database, as text; empty where it has none. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

/**
 * Keeps the image's passwd and group files beside its snapshot, so that a run can resolve
 * users without mounting anything. They can't change: the snapshot is sealed.
 */
export function recordAccounts(snapshots: SnapshotStore, view: string, top: SnapshotId): void {
  if (snapshots.accounts(top) !== undefined) return;
  using mounted = snapshots.open(top, "ro", view);
  const tree = new DiskUpper(mounted.path);
  const accounts: Accounts = {
    passwd: readText(tree, "etc/passwd"),
    group: readText(tree, "etc/group"),
  };
  snapshots.setAccounts(top, JSON.stringify(accounts));
}

/** @returns "" also where a symlink leads nowhere: such an image still runs */
function readText(tree: DiskUpper, path: string): string {
  const found = lookFor(new MergedTree(tree, undefined, []), path);
  if (found?.stat.isFile() !== true || found.stat.size > MAX_SIZE) return "";
  return readFileSync(tree.at(found.path), "utf8");
}

function lookFor(tree: MergedTree, path: string): Found | undefined {
  try {
    return tree.look(tree.resolve(path, true));
  } catch (error) {
    if (error instanceof TsimgError && error.code === "ERR_LAYER_UNSAFE") return undefined;
    throw error;
  }
}
