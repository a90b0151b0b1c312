import { TsimgError } from "../../src/sys/error.ts";
import type { SnapshotId } from "../driver.ts";

/**
 * The snapshot that makes a dataset a parent. Tools that snapshot by themselves name theirs
 * after themselves or a time: none has this prefix.
 */
export const SEAL = "tsimg-seal";

/** Longest name of a dataset or snapshot (ZFS_MAX_DATASET_NAME_LEN), its final NUL left out. */
const MAX_NAME = 255;
const ID = /^[0-9a-f]{64}$/;
const COMPONENT = "[A-Za-z0-9][A-Za-z0-9_.:-]*";
const DATASET = new RegExp(`^[A-Za-z][A-Za-z0-9_.:-]*(/${COMPONENT})*$`);

/**
 * @param dataset what a user named as the place for tsimg's datasets, such as `tank/tsimg`
 * @throws TsimgError ERR_USAGE when no dataset can be called so, or none below it
 * @see zfsconcepts(7), "ZFS File System Hierarchy"
 */
export function requireDatasetName(dataset: string): void {
  if (!DATASET.test(dataset))
    throw new TsimgError("ERR_USAGE", `'${dataset}' is no name of a ZFS dataset`, {
      hint: "it is POOL/NAME, of letters, digits and _ . : -",
    });
  const longest = `${dataset}/${"0".repeat(64)}@${SEAL}`.length;
  if (longest > MAX_NAME)
    throw new TsimgError("ERR_USAGE", `the dataset name '${dataset}' is too long`, {
      hint: `ZFS takes ${MAX_NAME} characters, tsimg adds ${longest - dataset.length}`,
    });
}

/** The pool that a dataset is in. */
export function poolOf(dataset: string): string {
  return dataset.split("/")[0] ?? dataset;
}

/** @throws TsimgError ERR_DRIVER for what isn't 64 hexadecimal digits: it would reach a command */
export function datasetOf(parent: string, id: SnapshotId): string {
  if (!ID.test(id)) throw new TsimgError("ERR_DRIVER", `'${id}' is no snapshot's id`);
  return `${parent}/${id}`;
}

/** The snapshot id that a dataset is called by, when it is a child of `parent` and one of ours. */
export function idOf(parent: string, dataset: string): SnapshotId | undefined {
  const name = dataset.startsWith(`${parent}/`) ? dataset.slice(parent.length + 1) : "";
  return ID.test(name) ? (name as SnapshotId) : undefined;
}

/** `tank/a@b` → `tank/a`. */
export function withoutSnapshot(name: string): string {
  return name.split("@")[0] ?? name;
}
