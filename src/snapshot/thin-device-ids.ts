import type { SnapshotId } from "../../drivers/driver.ts";
import type { Database } from "../store/database.ts";
import { TsimgError } from "../sys/error.ts";

/** The kernel's numbers are 24 bits wide; the last one is kept for making the base. */
const LAST = 0xff_fffe;

/** The device numbers of one device-mapper pool, in the database. */
export class ThinDeviceIds {
  private readonly database: Database;
  private readonly pool: string;

  constructor(database: Database, pool: string) {
    this.database = database;
    this.pool = pool;
  }

  /**
   * The number of a snapshot's device; one that it has already stays. The lowest that is free:
   * a device of which a power cut has taken the row is found when its number is given again.
   */
  allocate(snapshot: SnapshotId): number {
    // One statement, and so one transaction: no two processes get the same number.
    this.database.run(
      `insert into thin_devices (pool, device, snapshot)
       select ?1, min(free), ?2 from (
         select 1 as free
         where not exists (select 1 from thin_devices where pool = ?1 and device = 1)
         union all
         select device + 1 from thin_devices taken
         where pool = ?1 and not exists
           (select 1 from thin_devices where pool = ?1 and device = taken.device + 1)
       )
       where true
       on conflict (snapshot) do nothing`,
      this.pool,
      snapshot,
    );
    const device = this.of(snapshot);
    if (device !== undefined && device <= LAST) return device;
    this.free(snapshot);
    throw new TsimgError("ERR_DRIVER", `pool '${this.pool}' has no device number left`);
  }

  of(snapshot: SnapshotId): number | undefined {
    return this.database.get<{ device: number }>(
      "select device from thin_devices where pool = ? and snapshot = ?",
      this.pool,
      snapshot,
    )?.device;
  }

  free(snapshot: SnapshotId): void {
    this.database.run(
      "delete from thin_devices where pool = ? and snapshot = ?",
      this.pool,
      snapshot,
    );
  }

  all(): ReadonlyMap<SnapshotId, number> {
    const rows = this.database.all<{ snapshot: SnapshotId; device: number }>(
      "select snapshot, device from thin_devices where pool = ? order by device",
      this.pool,
    );
    return new Map(rows.map(({ snapshot, device }) => [snapshot, device]));
  }
}
