import type { ThinDevices } from "../../../drivers/devicemapper/thin-devices.ts";
import type { SnapshotId } from "../../../drivers/driver.ts";

/** Numbers given so far by all stores of this process, which share one pool. */
let last = 0;

/** Device numbers of a store that has no database. */
export class MemoryThinDevices implements ThinDevices {
  private readonly numbers = new Map<SnapshotId, number>();

  allocate(snapshot: SnapshotId): number {
    const number = this.numbers.get(snapshot) ?? ++last;
    this.numbers.set(snapshot, number);
    return number;
  }

  of(snapshot: SnapshotId): number | undefined {
    return this.numbers.get(snapshot);
  }

  free(snapshot: SnapshotId): void {
    this.numbers.delete(snapshot);
  }

  all(): ReadonlyMap<SnapshotId, number> {
    return this.numbers;
  }
}
