import type { SnapshotId } from "../driver.ts";

/**
 * Which thin device of one pool each snapshot is. Numbers begin with 1; those freed are given
 * again, the lowest first: what a crash has left under one is found when it is given next.
 */
export interface ThinDevices {
  /** The snapshot's number; a new one when it has none yet. */
  allocate(snapshot: SnapshotId): number;
  of(snapshot: SnapshotId): number | undefined;
  /** One that has none is no error. */
  free(snapshot: SnapshotId): void;
  all(): ReadonlyMap<SnapshotId, number>;
}
