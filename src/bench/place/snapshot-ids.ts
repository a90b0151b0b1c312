import type { SnapshotId } from "../../../drivers/driver.ts";
import { randomWords } from "../content.ts";

/** Words of 32 bits in the name of a snapshot. */
const WORDS = 8;

/**
 * Names of snapshots that follow from a seed. File systems place directories by their names:
 * two copies of a driver shall have the same layout on their disks.
 */
export function snapshotIds(seed: number): () => SnapshotId {
  const random = randomWords(seed);
  const word = () => random().toString(16).padStart(8, "0");
  return () => Array.from({ length: WORDS }, word).join("") as SnapshotId;
}
